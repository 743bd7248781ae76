/** Secrets of known shapes: counted wherever a transcript is read, and replaced when that is asked for. */

/** `signs`: bytes without which the pattern fits nowhere, so that most lines are passed over without it. */
interface SecretKind {
  name: string
  signs: readonly string[]
  /** The group named `secret` is replaced; without one the whole. */
  pattern: RegExp
}

/** Patterns hold for JSON text as it stands in a file: a line break is `\n`, a quote `\"`. */
const kinds: readonly SecretKind[] = [
  { name: 'anthropic key', signs: ['sk-ant-'], pattern: /\bsk-ant-[A-Za-z0-9_-]{20,}/g },
  {
    name: 'openai key',
    signs: ['sk-'],
    pattern: /\bsk-(?!ant-)(?:(?:proj|svcacct|admin)-[A-Za-z0-9_-]{20,}|[A-Za-z0-9]{32,})/g,
  },
  {
    name: 'github token',
    signs: ['gh', 'github_pat_'],
    pattern: /\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,})/g,
  },
  { name: 'gitlab token', signs: ['glpat-'], pattern: /\bglpat-[A-Za-z0-9_-]{20,}/g },
  { name: 'npm token', signs: ['npm_'], pattern: /\bnpm_[A-Za-z0-9]{36}\b/g },
  { name: 'aws access key', signs: ['AKIA', 'ASIA'], pattern: /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g },
  { name: 'google key', signs: ['AIza'], pattern: /\bAIza[A-Za-z0-9_-]{35}/g },
  { name: 'slack token', signs: ['xox'], pattern: /\bxox[abprs]-[A-Za-z0-9-]{10,}/g },
  {
    name: 'stripe key',
    signs: ['k_live_', 'k_test_'],
    pattern: /\b[sr]k_(?:live|test)_[A-Za-z0-9]{16,}/g,
  },
  {
    name: 'json web token',
    signs: ['eyJ'],
    pattern: /\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}/g,
  },
  {
    name: 'private key',
    signs: ['PRIVATE KEY-----'],
    pattern: /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----[A-Za-z0-9+/=\\\s]+?-----END (?:[A-Z]+ )*PRIVATE KEY-----/g,
  },
  {
    name: 'password in an address',
    signs: ['://'],
    pattern: /\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s:/@"'\\]{1,64}:(?<secret>[^\s:/@"'\\]{1,128})@/g,
  },
  {
    name: 'password',
    signs: ['assword', 'ASSWORD', 'asswd'],
    pattern: /(?:password|passwd)\\?["']?\s{0,3}[:=]\s{0,3}\\?["']?(?<secret>[^\s"'\\,;(){}<>[\]$]{8,128})/gi,
  },
]

export class SecretFinder {
  /** How many were found, by kind. */
  readonly counts = new Map<string, number>()
  readonly #redact: boolean

  constructor({ redact }: { redact: boolean }) {
    this.#redact = redact
  }

  /** The bytes as they are to be used: without the secrets in them when those are to be redacted. */
  clean(bytes: Buffer, isCounted = true): Buffer {
    const found = kinds.filter(({ signs }) => signs.some((sign) => bytes.includes(sign)))
    if (found.length === 0) return bytes
    const text = bytes.toString('utf8')
    const cleaned = this.#cleanText(text, found, isCounted)
    return this.#redact && cleaned !== text ? Buffer.from(cleaned) : bytes
  }

  #cleanText(text: string, among: readonly SecretKind[], isCounted: boolean): string {
    return among.reduce(
      (left, { name, pattern }) =>
        left.replace(pattern, (...match) => {
          if (isCounted) this.counts.set(name, (this.counts.get(name) ?? 0) + 1)
          const whole = String(match[0])
          const groups = match.at(-1) as { secret?: string } | string
          const secret = typeof groups === 'object' ? (groups.secret ?? whole) : whole
          return whole.replace(secret, () => `[redacted ${name}]`)
        }),
      text,
    )
  }
}
