/** The fields of a JSON text that may be cut off anywhere, down to the fourth level. */
/** Fields by path as in `payload.type` or `[].role`; the value is a short text, else undefined. */
export type Shape = ReadonlyMap<string, string | undefined>

const deepest = 4
const shortText = 100

export function shapeOf(text: string): Shape {
  const found = new Map<string, string | undefined>()
  const open: { path: string; isArray: boolean }[] = []
  let key: string | undefined
  let at = 0
  const pathOf = () => {
    const parent = open.at(-1)
    if (!parent) return ''
    const step = parent.isArray ? '[]' : (key ?? '')
    return parent.path === '' || step === '[]' ? parent.path + step : `${parent.path}.${step}`
  }
  const note = (value: string | undefined) => {
    const path = pathOf()
    if (
      path !== '' &&
      open.length <= deepest &&
      (value !== undefined || !found.has(path)) &&
      found.get(path) === undefined
    )
      found.set(path, value)
  }
  while (at < text.length) {
    const mark = text[at]
    if (mark === '"') {
      const end = endOfString(text, at)
      const value = text.slice(at + 1, end)
      at = end + 1
      const parent = open.at(-1)
      if (parent && !parent.isArray && key === undefined) {
        key = value
        note(undefined)
      } else {
        note(value.length <= shortText ? value : undefined)
        key = undefined
      }
      continue
    }
    if (mark === '{' || mark === '[') {
      const path = pathOf()
      if (open.length > 0) note(undefined)
      open.push({ path, isArray: mark === '[' })
      key = undefined
    } else if (mark === '}' || mark === ']') {
      open.pop()
      key = undefined
      if (open.length === 0) break
    } else if (mark === ',') key = undefined
    at += 1
  }
  return found
}

function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\') at += 1
    else if (text[at] === '"') return at
  }
  return text.length
}
