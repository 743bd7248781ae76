/** Random values from JSON Schemas, mostly right, and ways to make them wrong. */
import type { Random } from './random.ts'

export type Schema = Readonly<Record<string, unknown>>
export type Schemas = Readonly<Record<string, Schema>>

const mostDepth = 6
const hostile: readonly unknown[] = [
  null,
  true,
  -1,
  0.5,
  1e308,
  2 ** 53,
  '',
  ' ',
  '\u0000',
  '\ud800',
  '../../etc/passwd',
  "' OR 1=1 --",
  '😀'.repeat(40),
  'x'.repeat(5_000),
  [],
  {},
  [[[[[[[[]]]]]]]],
  { constructor: { prototype: 1 } },
  { ['__proto__']: 1 },
]

export class Generator {
  readonly #random: Random
  readonly #schemas: Schemas

  constructor(random: Random, schemas: Schemas) {
    this.#random = random
    this.#schemas = schemas
  }

  /** A value that the schema allows, as far as what is understood here of it. */
  value(schema: Schema, depth = 0): unknown {
    const random = this.#random
    if (typeof schema.$ref === 'string') {
      const name = schema.$ref.slice(schema.$ref.lastIndexOf('/') + 1)
      return this.value(this.#schemas[name] ?? {}, depth + 1)
    }
    if ('const' in schema) return schema.const
    if (Array.isArray(schema.enum)) return random.pick(schema.enum)
    const choices = (schema.anyOf ?? schema.oneOf) as Schema[] | undefined
    if (choices)
      return this.value(depth > mostDepth ? (choices.at(-1) ?? {}) : random.pick(choices), depth + 1)
    const all = schema.allOf as Schema[] | undefined
    if (all) return Object.assign({}, ...all.map((part) => this.value(part, depth + 1)))
    const type = Array.isArray(schema.type) ? random.pick(schema.type) : schema.type
    if (type === 'object') return this.#object(schema, depth)
    if (type === 'array') return this.#array(schema, depth)
    if (type === 'string') return this.#string(schema)
    if (type === 'integer' || type === 'number') return this.#number(schema)
    if (type === 'boolean') return random.chance(0.5)
    return type === 'null' ? null : random.pick(hostile)
  }

  /** The same with something wrong in it. */
  broken(value: unknown): unknown {
    const random = this.#random
    if (typeof value !== 'object' || value === null || random.chance(0.15)) return random.pick(hostile)
    if (Array.isArray(value)) {
      return value.length === 0
        ? [random.pick(hostile)]
        : value.map((item) => (random.chance(0.5) ? this.broken(item) : item))
    }
    const entries = Object.entries(value)
    if (entries.length === 0 || random.chance(0.2))
      return { ...value, [random.pick(['extra', '__proto__', ''])]: random.pick(hostile) }
    const [name, old] = random.pick(entries)
    if (random.chance(0.2)) return Object.fromEntries(entries.filter(([other]) => other !== name))
    return { ...value, [name]: this.broken(old) }
  }

  #object({ properties, required, additionalProperties }: Schema, depth: number): object {
    const known = Object.entries((properties ?? {}) as Schemas)
    const needed = new Set((required ?? []) as string[])
    const chosen = known.filter(
      ([name]) => needed.has(name) || (depth < mostDepth && this.#random.chance(0.3)),
    )
    const made = chosen.map(([name, schema]) => [name, this.value(schema, depth + 1)])
    const open = typeof additionalProperties === 'object' && depth < mostDepth && this.#random.chance(0.5)
    if (open) made.push(['any', this.value(additionalProperties as Schema, depth + 1)])
    return Object.fromEntries(made)
  }

  #array({ items, minItems = 0, prefixItems }: Schema, depth: number): unknown[] {
    if (Array.isArray(prefixItems)) return prefixItems.map((item) => this.value(item, depth + 1))
    const count = Math.max(minItems as number, depth > mostDepth ? 0 : this.#random.below(3))
    return Array.from({ length: count }, () => this.value((items ?? {}) as Schema, depth + 1))
  }

  #string({ pattern, format, minLength = 0, maxLength = 60 }: Schema): string {
    const random = this.#random
    if (format === 'date-time' || String(pattern).includes('T'))
      return random.pick(['2026-01-02T03:04:05Z', '2027-01-02T03:04:05.678Z'])
    if (String(pattern).includes('a-f')) return 'abcdef0123456789'.repeat(4)
    const length = Math.min(maxLength as number, Math.max(minLength as number, 1 + random.below(12)))
    return Array.from({ length }, () => random.pick([...'abcxyz0189-_'])).join('')
  }

  #number({ minimum = 0, maximum = 1_000, type }: Schema): number {
    const low = Math.max(minimum as number, -1_000)
    const value = low + this.#random.below(Math.min(maximum as number, low + 1_000) - low + 1)
    return type === 'number' && this.#random.chance(0.3) ? value + 0.5 : value
  }
}
