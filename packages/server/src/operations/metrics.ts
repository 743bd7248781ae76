/** Figures of one server in Prometheus' text format. Labels are routes and codes, never ids of sessions. */
import type { CommittedBatch } from '@holdfast/core'
import type { Answered } from './answered.ts'
import { family, Histogram } from './histogram.ts'

/** Upper bounds, in seconds. */
const requestSecs = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const commitSecs = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5]
const batchCommits = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]
const batchBytes = [1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216]
const minuteMs = 60_000

export interface Gauges {
  streams: number
  /** Longest time that one of them has waited for its reader. */
  lagMs: number
  isDraining: boolean
  tenantsOver: number
}

export class Metrics {
  readonly #clock: () => number
  readonly #requests = new Map<string, number>()
  readonly #requestSecs = new Histogram(
    'holdfast_request_seconds',
    'Time until an answer began.',
    requestSecs,
  )
  readonly #commitSecs = new Histogram(
    'holdfast_commit_seconds',
    'Time of a transaction, with its sync.',
    commitSecs,
  )
  readonly #syncSecs = new Histogram(
    'holdfast_sync_seconds',
    'Time of the COMMIT of a transaction of SQLite, in which it is synced; of the records and leases too. Postgres syncs out of sight.',
    commitSecs,
  )
  readonly #batchCommits = new Histogram(
    'holdfast_commit_writes',
    'Writes that shared a transaction.',
    batchCommits,
  )
  readonly #batchBytes = new Histogram('holdfast_commit_bytes', 'Event bodies of a transaction.', batchBytes)
  #events = 0
  /** When a tenant was last refused as too fast. */
  readonly #limited = new Map<string, number>()

  constructor(clock: () => number) {
    this.#clock = clock
  }

  count({ method, path, status, tookMs, tenantId, error }: Answered): void {
    const route = `method="${method}",route="${path}"`
    const answer = `${route},status="${status}",code="${error?.code ?? ''}"`
    this.#requests.set(answer, (this.#requests.get(answer) ?? 0) + 1)
    this.#requestSecs.add(tookMs / 1_000, route)
    if (error?.code === 'rate_limited' && tenantId !== undefined) this.#limited.set(tenantId, this.#clock())
  }

  committed({ tookMs, bytes, commits }: CommittedBatch): void {
    this.#commitSecs.add(tookMs / 1_000)
    this.#batchCommits.add(commits.length)
    this.#batchBytes.add(bytes)
    for (const { events } of commits) this.#events += events
  }

  synced(tookMs: number): void {
    this.#syncSecs.add(tookMs / 1_000)
  }

  text({ streams, lagMs, isDraining, tenantsOver }: Gauges): string {
    const { rss, heapUsed } = process.memoryUsage()
    return [
      ...family(
        'holdfast_requests_total',
        'counter',
        'Requests that were answered.',
        [...this.#requests].map(([labels, count]) => `holdfast_requests_total{${labels}} ${count}`),
      ),
      ...this.#requestSecs.lines(),
      ...family('holdfast_appended_events_total', 'counter', 'Events that were written.', [
        `holdfast_appended_events_total ${this.#events}`,
      ]),
      ...this.#commitSecs.lines(),
      ...this.#syncSecs.lines(),
      ...this.#batchCommits.lines(),
      ...this.#batchBytes.lines(),
      ...gauge('holdfast_streams', 'Followers: streams that are open.', streams),
      ...gauge(
        'holdfast_stream_lag_seconds',
        'Longest time that a stream has waited for its reader.',
        lagMs / 1_000,
      ),
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
}

function gauge(name: string, help: string, value: number): string[] {
  return family(name, 'gauge', help, [`${name} ${value}`])
}
