/** How often values were how large, as Prometheus counts them. */
interface Counted {
  /** One for each bound, and one for what is larger. */
  counts: number[]
  sum: number
}

export class Histogram {
  readonly #name: string
  readonly #help: string
  /** Upper ones, rising. */
  readonly #bounds: readonly number[]
  readonly #byLabels = new Map<string, Counted>()

  constructor(name: string, help: string, bounds: readonly number[]) {
    this.#name = name
    this.#help = help
    this.#bounds = bounds
  }

  add(value: number, labels = ''): void {
    const known = this.#byLabels.get(labels) ?? { counts: this.#bounds.map(() => 0).concat(0), sum: 0 }
    this.#byLabels.set(labels, known)
    const at = this.#bounds.findIndex((bound) => value <= bound)
    const place = at < 0 ? this.#bounds.length : at
    known.counts[place] = (known.counts[place] ?? 0) + 1
    known.sum += value
  }

  lines(): string[] {
    const series = [...this.#byLabels].flatMap(([labels, counted]) => this.#series(labels, counted))
    return family(this.#name, 'histogram', this.#help, series)
  }

  #series(labels: string, { counts, sum }: Counted): string[] {
    const more = labels === '' ? '' : `${labels},`
    const of = labels === '' ? '' : `{${labels}}`
    let below = 0
    const lines = [...this.#bounds, '+Inf'].map((bound, n) => {
      below += counts[n] ?? 0
      return `${this.#name}_bucket{${more}le="${bound}"} ${below}`
    })
    return [...lines, `${this.#name}_sum${of} ${sum}`, `${this.#name}_count${of} ${below}`]
  }
}

export function family(name: string, type: string, help: string, lines: readonly string[]): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines]
}
