/** The knobs of a proof: `--name value` or `--flag`, each with a default. A seed is chosen when none is given. */
import { parseArgs } from 'node:util'

type Knob = number | string | boolean
type Widened<T> = { [K in keyof T]: T[K] extends number ? number : T[K] extends boolean ? boolean : string }

export function knobs<const T extends Record<string, Knob>>(defaults: T): Widened<T> & { seed: number } {
  const known: Record<string, Knob> = { seed: Math.floor(Math.random() * 1e9), ...defaults }
  const kinds = Object.entries(known).map(([name, value]) => {
    return [name, { type: typeof value === 'boolean' ? 'boolean' : 'string' }] as const
  })
  const values = parsed(Object.fromEntries(kinds))
  const given = Object.entries(values).map(([name, value]) => [name, read(name, value, known[name])])
  return { ...known, ...Object.fromEntries(given) }
}

function parsed(options: Record<string, { type: 'boolean' | 'string' }>): Record<string, unknown> {
  try {
    return parseArgs({ options }).values
  } catch (error) {
    const known = Object.keys(options).map((name) => `--${name}`)
    console.error(`${error instanceof Error ? error.message : error}\nknown: ${known.join(' ')}`)
    process.exit(2)
  }
}

function read(name: string, value: unknown, sample: Knob | undefined): Knob {
  if (typeof sample !== 'number') return value as Knob
  if (!/^\d+$/.test(String(value))) throw new Error(`--${name} needs a whole number, not ${value}`)
  return Number(value)
}
