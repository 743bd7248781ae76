/**
 * The words of a text, for indexing and for queries alike: two stores that both use this find the same events.
 *
 * Case, diacritics and width are folded (`Ärger` is `arger`, `ＡＢＣ` is `abc`). Scripts written without spaces are
 * split into single characters, so that Chinese is found; pairs would be more exact but make the index far larger.
 * Of ASCII a word holds only `a–z0–9`, and `wordsOf(word)` is `[word]`: words joined by a space can be handed to a
 * tokeniser that splits at ASCII punctuation and nowhere else.
 */
export function wordsOf(text: string): string[] {
  const words: string[] = []
  let from = 0
  for (let at = nextForeign(text, 0); at >= 0; at = nextForeign(text, from)) {
    const start = startOfWord(text, from, at)
    addAscii(words, text.slice(from, start))
    from = endOfPiece(text, at)
    for (const word of foreignWords(text.slice(start, from))) words.push(word)
  }
  addAscii(words, from === 0 ? text : text.slice(from))
  return words
}

/**
 * ASCII has nothing to fold but case, which takes a fraction of the time. So only what stands between two ASCII marks and
 * has a character beyond ASCII in it is folded whole: no folding reaches across such a mark.
 */
function addAscii(words: string[], text: string): void {
  for (const word of text.toLowerCase().match(asciiWords) ?? []) words.push(clip(word))
}

function nextForeign(text: string, from: number): number {
  foreign.lastIndex = from
  return foreign.exec(text)?.index ?? -1
}

function startOfWord(text: string, from: number, at: number): number {
  let start = at
  while (start > from && asciiWord.test(text.charAt(start - 1))) start -= 1
  return start
}

/** A text of another script is folded in large pieces, which is cheaper than word by word. */
function endOfPiece(text: string, at: number): number {
  for (let next = at; ; ) {
    const end = endOfWord(text, next)
    next = end - at < longPiece ? nextForeign(text, end) : -1
    if (next < 0 || next - end > shortGap) return end
  }
}

function endOfWord(text: string, at: number): number {
  wordUnits.lastIndex = at
  wordUnits.test(text)
  return wordUnits.lastIndex
}

/**
 * The same few marks (`├──`, `—`, `✓`) stand in most texts that have any: that these are no words is kept for a while. Words
 * are not kept: they could be of somebody's erased message.
 */
function foreignWords(text: string): readonly string[] {
  if (marks.has(text)) return none
  const words = foldedWords(text)
  if (words.length > 0 || text.length > marksLength) return words
  if (marks.size === mostMarks) marks.clear()
  marks.add(text)
  return words
}

/** All of the text folded, whatever is in it. */
export function foldedWords(text: string): string[] {
  return (fold(text).match(wordPattern()) ?? []).map(clip)
}

/** A longer piece of a text would keep all of it in memory. */
const marksLength = 12
const mostMarks = 4_096
const marks = new Set<string>()
const none: readonly string[] = []

const asciiWords = /[a-z0-9]+/g
const asciiWord = /[A-Za-z0-9]/
const foreign = /[^\0-\x7f]/g
const wordUnits = /[A-Za-z0-9\u0080-\uffff]+/y

/** Code units of ASCII between two pieces from which on these are folded apart. */
const shortGap = 32
/** Code units of a piece from which on the next one begins. */
const longPiece = 16 * 1024

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
