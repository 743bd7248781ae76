/**
 * Where in an input something is wrong, for an error message: `message.parts[0].text`. Messages carry no content, so
 * a key is shown only when it looks like a field name and is written `*` otherwise.
 */
export function inputPath(what: string, path: readonly PropertyKey[]): string {
  return what + path.map(segment).join('')
}

function segment(key: PropertyKey): string {
  return typeof key === 'number' ? `[${key}]` : `.${shownKey(key)}`
}

export function shownKey(key: PropertyKey): string {
  return typeof key === 'string' && /^[A-Za-z_][A-Za-z0-9_]{0,39}$/.test(key) ? key : '*'
}
