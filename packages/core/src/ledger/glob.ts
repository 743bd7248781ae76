/** Whether a text is of the form that a pattern names: `*` stands for any text, `#` for one digit, the rest for itself. */
export function fits(pattern: string, text: string): boolean {
  let at = 0
  let next = 0
  let star = -1
  let taken = 0
  while (at < text.length) {
    if (pattern[next] === '*') {
      star = next++
      taken = at
    } else if (next < pattern.length && isOneOf(pattern[next], text[at])) {
      next++
      at++
    } else if (star >= 0) {
      // The last star takes one more; an earlier one never needs to.
      next = star + 1
      at = ++taken
    } else return false
  }
  while (pattern[next] === '*') next++
  return next === pattern.length
}

function isOneOf(sign: string | undefined, character: string | undefined): boolean {
  if (sign === '#') return character !== undefined && character >= '0' && character <= '9'
  return sign === character
}
