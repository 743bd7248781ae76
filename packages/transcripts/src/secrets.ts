/** Secrets of known shapes: counted wherever a transcript is read, and replaced when that is asked for. */

interface SecretKind {
  name: string
  /** The group named `secret` is replaced; without one the whole. */
  pattern: RegExp
}

/** Patterns hold for JSON text as it stands in a file: a line break is `\n`, a quote `\"`. */
const kinds: readonly SecretKind[] = [
  { name: 'anthropic key', pattern: /\bsk-ant-[A-Za-z0-9_-]{20,}/g },
  {
    name: 'openai key',
    pattern: /\bsk-(?!ant-)(?:(?:proj|svcacct|admin)-[A-Za-z0-9_-]{20,}|[A-Za-z0-9]{32,})/g,
  },
  {
    name: 'github token',
    pattern: /\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,})/g,
  },
  { name: 'gitlab token', pattern: /\bglpat-[A-Za-z0-9_-]{20,}/g },
  { name: 'npm token', pattern: /\bnpm_[A-Za-z0-9]{36}\b/g },
  { name: 'aws access key', pattern: /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g },
  { name: 'google key', pattern: /\bAIza[A-Za-z0-9_-]{35}/g },
  { name: 'slack token', pattern: /\bxox[abprs]-[A-Za-z0-9-]{10,}/g },
  {
    name: 'stripe key',
    pattern: /\b[sr]k_(?:live|test)_[A-Za-z0-9]{16,}/g,
  },
  {
    name: 'json web token',
    pattern: /\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}/g,
  },
  {
    name: 'private key',
    pattern:
      /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----[A-Za-z0-9+/=\\\s]+?-----END (?:[A-Z]+ )*PRIVATE KEY-----/g,
  },
  {
    name: 'password in an address',
    pattern: /:\/\/[^\s:/@"'\\]{1,64}:(?<secret>[^\s:/@"'\\]{1,128})@/g,
  },
  {
    name: 'password',
    pattern: /(?:password|passwd)\\?["']?\s{0,3}[:=]\s{0,3}\\?["']?(?<secret>[^\s"'\\,;(){}<>[\]$]{8,128})/gi,
  },
]

/**
 * What every secret has in it: most lines have none of it, and are looked at once. Each sign is looked for by one of its
 * rarer letters and from there to both sides, which takes a fraction of the time of looking from its beginning.
 */
const sign = new RegExp(
  `[-_JIYwW](?:${[
    '(?<=\\bsk-)(?:ant|proj|svcacct|admin|[A-Za-z0-9]{32})',
    '(?<=\\bglpat-)',
    '(?<=\\bxox[abprs]-)',
    '(?<=\\b[sr]k_)(?:live|test)',
    '(?<=\\bgh[pousr]_)[A-Za-z0-9]{36}',
    '(?<=\\bgithub_)pat',
    '(?<=\\bnpm_)[A-Za-z0-9]{36}',
    '(?<=\\beyJ)[A-Za-z0-9_-]{10}',
    '(?<=\\bA[KS]I)A[A-Z0-9]{16}',
    '(?<=\\bAI)za',
    '(?<=PRIVATE KEY)-----',
    '(?<=[aA][sS][sS][wW])(?:[oO][rR])?[dD]',
  ].join('|')})`,
)
const addressSign = /:\/\/[^\s:/@"'\\]{1,64}:[^\s:/@"'\\]{1,128}@/

export class SecretFinder {
  /** How many were found, by kind. */
  readonly counts = new Map<string, number>()
  readonly #redact: boolean

  constructor({ redact }: { redact: boolean }) {
    this.#redact = redact
  }

  /** The text as it is to be used: without the secrets in it when those are to be redacted. */
  clean(text: string, isCounted = true): string {
    if (!sign.test(text) && !addressSign.test(text)) return text
    const cleaned = this.#cleanText(text, isCounted)
    return this.#redact ? cleaned : text
  }

  #cleanText(text: string, isCounted: boolean): string {
    return kinds.reduce(
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
