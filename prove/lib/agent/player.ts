/**
 * A process with agents in it. It goes on with what others left, and plays each of its sessions to its end, as a client
 * that does not know what was done before: everything that it asks for has a key.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type AgentSession, type Agents, withAgents } from '@holdfast/agent'
import { type Holdfast, openHoldfast, type Store } from '@holdfast/core'
import { sqlite } from '@holdfast/core/sqlite'
import { DEFAULT_TENANT, isHoldfastError, type Question, tokenBudget } from '@holdfast/protocol'
import { messages, report } from '../child.ts'
import { fenceless } from '../fenceless.ts'
import { agentsOf } from './agents.ts'
import { stepping } from './stepping.ts'
import { inputs, type PlayerReport, type PlayerTask } from './task.ts'

const patienceMs = { sound: 30_000, planted: 1_000 }
const budget = tokenBudget.parse({ spend: { tokens: 10_000_000, toolCalls: 1_000 } })

async function play(task: PlayerTask): Promise<void> {
  const clock = () => Date.now() + task.aheadMs
  const place = sqlite(task.file, { durability: 'normal', search: false })
  const store = await stepping(task.fenceless ? fenceless(place) : place, task).open({ clock })
  const holdfast = await openHoldfast({ store, clock })
  const { ttlMs: leaseTtlMs, pollMs } = task
  const agents = withAgents(holdfast, { agents: agentsOf(task), leaseTtlMs, pollMs, clock })
  if (task.planted !== 'abandoned') await agents.recover()
  report({ unheld: await unheldOf(holdfast, store, task, clock()) } satisfies PlayerReport)
  const patience = task.planted === '' ? patienceMs.sound : patienceMs.planted
  await Promise.all(task.sessions.map((id) => converse(agents, id, patience)))
  await agents.close()
  await holdfast.close()
  await store.close()
}

/** Sessions and their children with a run that somebody should be working on, and nobody is. */
async function unheldOf(
  { sessions }: Holdfast,
  store: Store,
  task: PlayerTask,
  nowMs: number,
): Promise<string[]> {
  const unheld: string[] = []
  for (const root of task.sessions) {
    if ((await store.readHead(DEFAULT_TENANT, root)) === undefined) continue
    const { children } = await sessions.tree(root)
    for (const id of [root, ...children.map(({ session }) => session.id)]) {
      const head = await store.readHead(DEFAULT_TENANT, id)
      const { run } = JSON.parse(head?.body ?? '{}') as { run?: { state: string } }
      const isHeld = head?.lease.owner !== undefined && (head.lease.expiresAtMs ?? 0) > nowMs
      if (run && live.includes(run.state) && !isHeld) unheld.push(`${id} is ${run.state}`)
    }
  }
  return unheld
}

const live = ['initializing', 'running', 'finalizing']

async function converse(agents: Agents, id: string, patience: number): Promise<void> {
  const session = await agents.create({ agentId: 'main', id, budget }, { key: 'create' })
  for (const [n, text] of inputs.entries()) await session.send(text, { key: `input-${n}` }).accepted()
  const until = Date.now() + patience
  for (;;) {
    const { openQuestion, status } = await session.log.view()
    if (openQuestion) await answer(session, openQuestion)
    else if (status === 'idle' && (await isAnswered(session))) return
    else if (Date.now() > until) return report({ stuck: `${id} is ${status}` } satisfies PlayerReport)
    else await sleep(3)
  }
}

/** Another process may answer it at the same time. */
async function answer(session: AgentSession, { questionId, toolName }: Question): Promise<void> {
  try {
    await session.answer(questionId, toolName === 'send' ? 'approve' : 'this').accepted()
  } catch (error) {
    if (!isHoldfastError(error, 'question_not_open')) throw error
  }
}

/** Nothing that was said waits for a run. */
async function isAnswered({ log }: AgentSession): Promise<boolean> {
  const { messages: said } = await log.messages({ limit: 20 })
  return (
    said.at(-1)?.role === 'assistant' && said.some(({ parts }) => JSON.stringify(parts).includes(inputs[1]))
  )
}

report({ ready: true } satisfies PlayerReport)
for await (const task of messages<PlayerTask>()) {
  await play(task)
  report({ done: true } satisfies PlayerReport)
}
