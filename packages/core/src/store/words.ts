/**
 * The words of a text, for indexing and for queries alike: two stores that both use this find the same events.
 *
 * Case, diacritics and width are folded (`Ärger` is `arger`, `ＡＢＣ` is `abc`). Scripts written without spaces are
 * split into single characters, so that Chinese is found; pairs would be more exact but make the index far larger.
 * Of ASCII a word holds only `a–z0–9`, and `wordsOf(word)` is `[word]`: words joined by a space can be handed to a
 * tokeniser that splits at ASCII punctuation and nowhere else.
 */
export function wordsOf(text: string): string[] {
  if (isAscii.test(text)) return (text.toLowerCase().match(asciiWords) ?? []).map(clip)
  const words: string[] = []
  for (const [word] of fold(text).matchAll(wordPattern())) words.push(clip(word))
  return words
}

/** Most texts: nothing of them has to be folded but case, and that takes a third of the time. */
const isAscii = /^[\0-\x7f]*$/
const asciiWords = /[a-z0-9]+/g

/** Code units kept of one word, so that a long blob costs the index one short word. */
const wordLength = 64

const unspaced = ['Han', 'Hira', 'Kana', 'Thai', 'Laoo', 'Khmr', 'Mymr']
  .map((name) => `\\p{scx=${name}}`)
  .join('')
let madePattern: RegExp | undefined
/** Made by the first text that is indexed or searched: it takes longer than to open a store. */
function wordPattern(): RegExp {
  madePattern ??= new RegExp(`[[${unspaced}]&&[\\p{L}\\p{N}]]|[[\\p{L}\\p{N}\\p{M}]--[${unspaced}]]+`, 'gv')
  return madePattern
}
const diacritics = /[\u0300-\u036f]/g

/** Through upper case and back, which folds what has no single lower form: `ß` to `ss`, `ς` with `σ`. */
function fold(text: string): string {
  const bare = text.normalize('NFKD').replace(diacritics, '')
  const folded = bare.toLowerCase().toUpperCase().toLowerCase().replaceAll('ς', 'σ')
  return folded.normalize('NFKD').replace(diacritics, '').normalize('NFKC')
}

/** The start of an over-long word, never half a surrogate pair. */
function clip(word: string): string {
  if (word.length <= wordLength) return word
  const pair = (word.codePointAt(wordLength - 1) ?? 0) > 0xffff
  return word.slice(0, pair ? wordLength - 1 : wordLength)
}
