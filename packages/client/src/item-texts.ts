/**
 * The items of a page, `{"data":[{…},{…}],"next":…}`, each as it was sent: one that is parsed and written again may differ in
 * its numbers and in the order of its keys.
 */
export function itemTexts(page: string): string[] {
  const items: string[] = []
  let depth = 0
  let start = 0
  for (let at = 0; at < page.length; at++) {
    const char = page[at]
    if (char === '"') at = endOfText(page, at)
    else if (char === '{' || char === '[') {
      if (depth === depthOfItems) start = at
      depth++
    } else if (char === '}' || char === ']') {
      depth--
      if (depth === depthOfItems) items.push(page.slice(start, at + 1))
    }
  }
  return items
}

/** In the page, in its list. */
const depthOfItems = 2

/** Where the text that begins here has its closing quote. */
function endOfText(page: string, start: number): number {
  let at = start + 1
  while (at < page.length && page[at] !== '"') at += page[at] === '\\' ? 2 : 1
  return at
}
