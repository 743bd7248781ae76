/** Groups of rows by their key, of which only the first are kept, however many there are. */

/** Values of the columns that are grouped by; undefined where rows have none. */
export type GroupKey = readonly (string | undefined)[]

interface Group<T> {
  key: GroupKey
  value: T
}

/** Keeps the first `size` groups after `after`; what is added comes in any order. */
export class FirstGroups<T> {
  readonly #size: number
  readonly #after: GroupKey | undefined
  readonly #join: (a: T, b: T) => T
  #kept = new Map<string, Group<T>>()
  /** Groups past it were let go, so that what comes of them is no whole. */
  #last: GroupKey | undefined

  constructor(size: number, after: GroupKey | undefined, join: (a: T, b: T) => T) {
    this.#size = size
    this.#after = after
    this.#join = join
  }

  add(key: GroupKey, value: T): void {
    if (this.#after && compareKeys(key, this.#after) <= 0) return
    if (this.#last && compareKeys(key, this.#last) > 0) return
    const name = JSON.stringify(key.map((part) => part ?? null))
    const known = this.#kept.get(name)
    this.#kept.set(name, { key, value: known ? this.#join(known.value, value) : value })
    if (this.#kept.size > 4 * this.#size) this.#trim()
  }

  /** In order. */
  first(): Group<T>[] {
    this.#trim()
    return [...this.#kept.values()]
  }

  #trim(): void {
    const groups = [...this.#kept].sort(([, a], [, b]) => compareKeys(a.key, b.key))
    if (groups.length > this.#size) this.#last = groups[this.#size - 1]?.[1].key
    this.#kept = new Map(groups.slice(0, this.#size))
  }
}

/** Part by part; no value comes before every value. */
function compareKeys(a: GroupKey, b: GroupKey): number {
  for (const [index, part] of a.entries()) {
    const other = b[index]
    if (part === other) continue
    if (part === undefined || other === undefined) return part === undefined ? -1 : 1
    return part < other ? -1 : 1
  }
  return 0
}
