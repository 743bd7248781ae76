import fc from 'fast-check'
import { expect, it } from 'vitest'
import { foldedWords, wordsOf } from './words.ts'

it('folds case, diacritics and width, and splits at everything that is no letter or digit', () => {
  expect(wordsOf('Ärger, ＡＢＣ! Straße STRASSE ΣΑΣ don’t foo_bar v1.2')).toEqual([
    'arger',
    'abc',
    'strasse',
    'strasse',
    'σασ',
    'don',
    't',
    'foo',
    'bar',
    'v1',
    '2',
  ])
  expect(wordsOf(' \0 "…" 😀 ')).toEqual([])
})

it('splits scripts without spaces into characters, and keeps other scripts whole', () => {
  expect(wordsOf('中文搜索test カタが')).toEqual(['中', '文', '搜', '索', 'test', 'カ', 'タ', 'が'])
  expect(wordsOf('한국어 हिन्दी')).toEqual(['한국어', 'हिन्दी'])
})

it('cuts long words, never inside a character', () => {
  expect(wordsOf('a'.repeat(1_000))).toEqual(['a'.repeat(64)])
  expect(wordsOf(`${'x'.repeat(63)}𐐨𐐨`)).toEqual(['x'.repeat(63)])
})

it('finds in each word that word and nothing else, and no ASCII but letters and digits', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', size: 'large' }), (text) => {
      for (const word of wordsOf(text)) {
        expect(wordsOf(word)).toEqual([word])
        expect(word).toMatch(/^[a-z0-9\u0080-\u{10ffff}]+$/u)
      }
    }),
  )
})

it('finds what folding all of the text finds', () => {
  const piece = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: 'binary-ascii', minLength: 20, maxLength: 50 }),
    fc.constantFrom(
      ...' -=`"<>^.:,\n',
      '\u0338',
      '\u0301',
      '\u3099',
      'Σ',
      'ß',
      '™',
      '①',
      '├──',
      '12→',
      'が',
      '한',
    ),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const text = pieces.join('')
      expect(wordsOf(text)).toEqual(foldedWords(text))
    }),
    { numRuns: 1_000 },
  )
})

it('folds whole what has a character beyond ASCII in it, also where the same came before', () => {
  const text = `na\u0131ve 1→Read └── CAFE\u0301s=\u0338x é${'a'.repeat(60)}é ├── ├── b`
  expect(wordsOf(text)).toEqual(['naive', '1', 'read', 'cafes', 'x', `e${'a'.repeat(60)}e`, 'b'])
  expect(wordsOf(`x ${text}`)).toEqual(['x', ...wordsOf(text)])
})

it('finds the same words in an ASCII text whether it stands alone or beside other scripts', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary-ascii', size: 'large' }), (text) => {
      expect([...wordsOf(text), '寿']).toEqual(wordsOf(`${text} 寿`))
    }),
  )
})
