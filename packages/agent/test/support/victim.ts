/**
 * A process that is killed at a chosen durable step: `node victim.ts <database> <effects> <session> <step> <before|after>`.
 * It plays the scenario, answering its question itself; what it prints last is how many steps there were.
 */
import { openHoldfast, type Store, type StoreFactory } from '@holdfast/core'
import { sqlite } from '@holdfast/core/sqlite'
import { withAgents } from '../../src/index.ts'
import { scenario } from './scenario.ts'

const [path = '', effects = '', sessionId = '', at = '', side = ''] = process.argv.slice(2)
let steps = 0

function die(): void {
  process.kill(process.pid, 'SIGKILL')
  for (;;);
}

async function step<T>(work: () => Promise<T>): Promise<T> {
  steps += 1
  const mine = steps === Number(at)
  if (mine && side === 'before') die()
  const result = await work()
  if (mine) die()
  return result
}

function stepping(store: Store): Store {
  return new Proxy(store, {
    get(target, name) {
      const member = Reflect.get(target, name) as unknown
      if (typeof member !== 'function') return member
      const call = member.bind(target) as (...args: unknown[]) => Promise<unknown>
      return name === 'commit' || name === 'appendDraft'
        ? (...args: unknown[]) => step(() => call(...args))
        : call
    },
  })
}

const factory: StoreFactory = sqlite(path)
const store: StoreFactory = { open: async (options) => stepping(await factory.open(options)) }
const holdfast = await openHoldfast({ store })
const agents = withAgents(holdfast, { agents: [scenario(effects)], leaseTtlMs: 400, pollMs: 0 })
await agents.create({ agentId: 'worker', id: sessionId })
let result = await agents.at(sessionId).send('Please do it.').result
if (result.question) result = await agents.at(sessionId).answer(result.question.questionId, 'approve').result
await holdfast.close()
process.stdout.write(`${steps} ${result.outcome}\n`)
