/** Takes secrets out of what is written to a file: keys that came with the request, and what looks like one. */
const shapes = [
  /\b(?:sk|pk|rk)-[A-Za-z0-9_-]{16,}/g,
  /\bBearer\s+[A-Za-z0-9._~+/-]{8,}=*/g,
  /\bAIza[A-Za-z0-9_-]{30,}/g,
  /\b(?:ghp|gho|ghs|github_pat)_[A-Za-z0-9_]{20,}/g,
  /\bAKIA[A-Z0-9]{16}\b/g,
]

const mark = '[redacted]'

export function redact(text: string, secrets: readonly string[]): string {
  const known = secrets.filter((secret) => secret.length > 0)
  const without = known.reduce((left, secret) => left.replaceAll(secret, mark), text)
  return shapes.reduce((left, shape) => left.replaceAll(shape, mark), without)
}

const secretHeaders = ['authorization', 'x-api-key', 'api-key', 'x-goog-api-key', 'cookie']

/** The keys in a request's headers, without the word before them. */
export function secretsOf(headers: Headers): string[] {
  return secretHeaders.flatMap((name) => {
    const value = headers.get(name)
    return value === null ? [] : [value.replace(/^Bearer\s+/i, '')]
  })
}
