/** A process of several clients, each with a handle of its own on the store: for each history they all work at once. */
import { type Holdfast, openHoldfast, type Store, type StoreFactory } from '@holdfast/core'
import { isHoldfastError } from '@holdfast/protocol'
import { messages, report } from '../child.ts'
import { withBug } from '../planted-store.ts'
import { Random } from '../random.ts'
import { storeIn } from '../stores.ts'
import { isPassing } from '../workload.ts'
import { EngineClient } from './engine-client.ts'
import { SeamClient } from './seam-client.ts'
import type { ClientOptions, HistoryTask, LinearReport, Op, Place } from './task.ts'

interface Handle {
  store: Store
  holdfast: Holdfast
}

interface Client {
  next(): Op
  answer(op: Op): Promise<Op['answer']>
}

const handles: Handle[] = []
const untold: LinearReport[] = []

tell({ ready: true })
for await (const task of messages<HistoryTask>()) {
  while (handles.length < task.clients) handles.push(await openHandle(task))
  void work(task)
}

async function openHandle({ store: name, folder, planted }: Place): Promise<Handle> {
  const store = await openStore(withBug(planted, storeIn(folder, name)))
  return { store, holdfast: await openHoldfast({ store }) }
}

/** Over a bad network opening is tried again. */
async function openStore(factory: StoreFactory): Promise<Store> {
  for (;;) {
    try {
      return await factory.open({})
    } catch (error) {
      if (!isPassing(error, true)) throw error
    }
  }
}

async function work(task: HistoryTask): Promise<void> {
  const { history, clients, ops } = task
  const share = Math.ceil(ops / clients)
  await Promise.all(
    handles.slice(0, clients).map(async (handle, place) => {
      const client = clientOf(handle, task, place)
      for (let n = Math.min(share, ops - place * share); n > 0; n--)
        await perform(client, history, `${place}.${n}`)
    }),
  )
  tell({ history, done: true })
}

function clientOf({ store, holdfast }: Handle, { session, level, seed }: HistoryTask, place: number): Client {
  const options: ClientOptions = {
    session,
    name: `c${process.pid}.${place}`,
    random: new Random(seed + place),
  }
  return (level === 'seam' ? new SeamClient(store, options) : new EngineClient(holdfast, options)) as Client
}

async function perform(client: Client, history: number, id: string): Promise<void> {
  const op = client.next()
  tell({ history, id, op, begin: now() })
  const answer = await client.answer(op).catch(codeOf)
  untold.push({ history, id, answer, wallTo: Date.now(), end: now() })
}

/** At once, with the answers since the last time: those that a death keeps back are none. */
function tell(said: LinearReport): void {
  report([...untold.splice(0), said])
}

/** A refusal is an answer; whether it fits is judged like any other. */
function codeOf(error: unknown): string {
  if (isHoldfastError(error)) return error.code
  throw error
}

function now(): number {
  return Number(process.hrtime.bigint())
}
