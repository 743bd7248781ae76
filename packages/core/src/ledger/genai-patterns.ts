/** How genai-prices tells which names a model goes by, as patterns of ours: `*` any text, `#` a digit. */

export type GenaiMatch =
  | { equals: string }
  | { starts_with: string }
  | { ends_with: string }
  | { contains: string }
  | { regex: string }
  | { or: readonly GenaiMatch[] }
  | { and: readonly GenaiMatch[] }

export interface Patterns {
  /** In lower case, in the order in which they are tried. */
  patterns: string[]
  /** Rules that no pattern says. */
  untold: string[]
}

export function patternsOf(match: GenaiMatch): Patterns {
  if ('or' in match) return joined(match.or.map(patternsOf))
  const pattern = patternOf(match)
  if (pattern === undefined) return { patterns: [], untold: [JSON.stringify(match)] }
  return { patterns: [pattern.toLowerCase()], untold: [] }
}

function joined(all: readonly Patterns[]): Patterns {
  return {
    patterns: all.flatMap(({ patterns }) => patterns),
    untold: all.flatMap(({ untold }) => untold),
  }
}

function patternOf(match: Exclude<GenaiMatch, { or: unknown }>): string | undefined {
  if ('equals' in match) return match.equals
  if ('starts_with' in match) return `${match.starts_with}*`
  if ('ends_with' in match) return `*${match.ends_with}`
  if ('contains' in match) return `*${match.contains}*`
  return 'regex' in match ? fromRegex(match.regex) : undefined
}

/** Of regular expressions those that say only where digits stand: `^gpt-\d{4}$` is `gpt-####`. */
function fromRegex(regex: string): string | undefined {
  const parts = /^\^(?<text>(?:[\w/:@-]|\\[.[\]]|\\d(?:\{\d\})?|[=])*)(?<end>\$?)$/.exec(regex)?.groups
  if (!parts) return undefined
  const text = (parts.text ?? '')
    .replace(/\\d(?:\{(\d)\})?/g, (_, count = '1') => '#'.repeat(Number(count)))
    .replace(/\\(.)/g, '$1')
  return parts.end === '$' ? text : `${text}*`
}
