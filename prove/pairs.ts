/**
 * Whatever happens to a session, what a provider is sent is what that provider takes: random lives of sessions, and for
 * every prefix of every log the provider view, as a request, held to the rules of each provider.
 *
 * `npm run prove:pairs -- --logs 50000 --seed 7`; `--planted` names a broken view, which every provider must refuse:
 * `dropped` results, `open` calls, `doubled` results.
 */
import { availableParallelism } from 'node:os'
import { knobs } from './lib/args.ts'
import { Child } from './lib/child.ts'
import type { Lives, LivesTask } from './lib/lives.ts'
import type { Provider } from './lib/providers/index.ts'
import { phrase, summarize } from './lib/summary.ts'

const { logs, seed, planted } = knobs({ logs: 5_000, planted: '' })
console.log(`pairs: ${logs} logs, seed ${seed}${planted ? `, planted: ${planted}` : ''}`)

/** A new store for some, so that none grows large. */
const logsPerStore = 100
const mostTold = 5
const kinds: Record<string, number> = {}
const refused: Record<Provider, number> = { anthropic: 0, chat: 0, responses: 0, gemini: 0 }
let views = 0
let told = 0

const waiting = Array.from({ length: Math.ceil(logs / logsPerStore) }, (_, nth): LivesTask => {
  return { seed: seed * 1_000 + nth, logs: Math.min(logsPerStore, logs - nth * logsPerStore), planted }
})
await Promise.all(Array.from({ length: availableParallelism() }, proveLogs))
console.log(phrase(Object.fromEntries(Object.entries(kinds).sort(([a], [b]) => (a < b ? -1 : 1)))))
summarize({ seed, counted: { logs, views }, faults: refused })

async function proveLogs(): Promise<void> {
  const child = new Child<Lives>(new URL('./lib/lives.ts', import.meta.url))
  for (let task = waiting.shift(); task; task = waiting.shift()) {
    child.send(task)
    add(await child.require())
  }
  child.kill()
}

function add(lives: Lives): void {
  views += lives.views
  for (const [kind, count] of Object.entries(lives.kinds)) kinds[kind] = (kinds[kind] ?? 0) + count
  for (const [name, count] of Object.entries(lives.refused)) refused[name as Provider] += count
  if (planted) return
  for (const fault of lives.told.slice(0, mostTold - told)) console.error(fault)
  told = Math.min(mostTold, told + lives.told.length)
}
