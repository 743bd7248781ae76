/** Figures of one server in Prometheus' text format. Labels are routes and tenants over their limit, never ids of sessions. */
import type { Answered } from './answered.ts'

/** Upper bounds, in seconds. */
const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const minuteMs = 60_000

interface Durations {
  /** One for each bucket, and one for what is longer. */
  counts: number[]
  sumSecs: number
}

export interface Gauges {
  streams: number
  isDraining: boolean
  tenantsOver: number
}

export class Metrics {
  readonly #clock: () => number
  readonly #requests = new Map<string, number>()
  readonly #durations = new Map<string, Durations>()
  /** When a tenant was last refused as too fast. */
  readonly #limited = new Map<string, number>()

  constructor(clock: () => number) {
    this.#clock = clock
  }

  count({ method, path, status, tookMs, tenantId, error }: Answered): void {
    const route = `method="${method}",route="${path}"`
    const answer = `${route},status="${status}",code="${error?.code ?? ''}"`
    this.#requests.set(answer, (this.#requests.get(answer) ?? 0) + 1)
    const secs = tookMs / 1_000
    const durations = this.#durations.get(route) ?? { counts: buckets.map(() => 0).concat(0), sumSecs: 0 }
    this.#durations.set(route, durations)
    const at = buckets.findIndex((bound) => secs <= bound)
    const place = at < 0 ? buckets.length : at
    durations.counts[place] = (durations.counts[place] ?? 0) + 1
    durations.sumSecs += secs
    if (error?.code === 'rate_limited' && tenantId !== undefined) this.#limited.set(tenantId, this.#clock())
  }

  text({ streams, isDraining, tenantsOver }: Gauges): string {
    const { rss, heapUsed } = process.memoryUsage()
    return [
      ...family(
        'holdfast_requests_total',
        'counter',
        'Requests that were answered.',
        this.#lines('holdfast_requests_total', this.#requests),
      ),
      ...family('holdfast_request_seconds', 'histogram', 'Time until an answer began.', this.#histogram()),
      ...gauge('holdfast_streams', 'Streams that are open.', streams),
      ...gauge('holdfast_draining', '1 while the server stops.', isDraining ? 1 : 0),
      ...gauge(
        'holdfast_tenants_limited',
        'Tenants that were too fast within the last minute.',
        this.#limitedNow(),
      ),
      ...gauge('holdfast_tenants_over_quota', 'Tenants whose quota of a day is used up.', tenantsOver),
      ...gauge('process_resident_memory_bytes', 'Memory of the process.', rss),
      ...gauge('nodejs_heap_size_used_bytes', 'Memory of its objects.', heapUsed),
      '',
    ].join('\n')
  }

  #limitedNow(): number {
    for (const [tenant, atMs] of this.#limited) {
      if (this.#clock() - atMs >= minuteMs) this.#limited.delete(tenant)
    }
    return this.#limited.size
  }

  #lines(name: string, counts: ReadonlyMap<string, number>): string[] {
    return [...counts].map(([labels, count]) => `${name}{${labels}} ${count}`)
  }

  #histogram(): string[] {
    const name = 'holdfast_request_seconds'
    return [...this.#durations].flatMap(([labels, { counts, sumSecs }]) => {
      let below = 0
      const lines = buckets.map((bound, n) => {
        below += counts[n] ?? 0
        return `${name}_bucket{${labels},le="${bound}"} ${below}`
      })
      const all = below + (counts[buckets.length] ?? 0)
      return [
        ...lines,
        `${name}_bucket{${labels},le="+Inf"} ${all}`,
        `${name}_sum{${labels}} ${sumSecs}`,
        `${name}_count{${labels}} ${all}`,
      ]
    })
  }
}

function family(name: string, type: string, help: string, lines: readonly string[]): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines]
}

function gauge(name: string, help: string, value: number): string[] {
  return family(name, 'gauge', help, [`${name} ${value}`])
}
