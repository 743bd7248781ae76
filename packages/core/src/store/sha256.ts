/** `node:crypto` takes longer to load than a session to resume: it is loaded by the first hash. */
export function sha256(content: string | Uint8Array): Buffer {
  return process.getBuiltinModule('node:crypto').hash('sha256', content, 'buffer')
}
