/**
 * Text from a transcript as it may be shown: nothing of it can steer the terminal. Control characters become their
 * pictures (␛), and characters that reorder or hide text become their code points.
 */

/** One line: every run of white space is a space. */
export function plainLine(text: string): string {
  return escaped(text.replace(/\s+/gu, ' ').trim())
}

/** Line breaks stay; a tab is four spaces. */
export function plainText(text: string): string {
  return text.replace(/\r\n?/g, '\n').replaceAll('\t', '    ').split('\n').map(escaped).join('\n')
}

/** Format characters steer as well; the joiner and the selectors that emoji and scripts need stay. */
const steering = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]|(?!\u200c|\u200d|[\u{e0020}-\u{e007f}])\p{Cf}/gu

function escaped(text: string): string {
  return text.replace(steering, pictured)
}

function pictured(character: string): string {
  const code = character.codePointAt(0) ?? 0
  if (code < 0x20) return String.fromCodePoint(0x2400 + code)
  if (code === 0x7f) return '\u2421'
  return `\\u{${code.toString(16)}}`
}
