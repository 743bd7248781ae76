import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { newPlace, started } from './support/place.ts'
import { scenario } from './support/scenario.ts'

const victim = join(import.meta.dirname, 'support/victim.ts')

interface Death {
  path: string
  effects: string
  output: string
}

function play(at: number, side: 'before' | 'after'): Promise<Death> {
  const path = newPlace()
  const effects = `${path}.effects`
  const child = spawn(process.execPath, [victim, path, effects, 's', String(at), side], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk
  })
  return new Promise((resolve) => child.on('close', () => resolve({ path, effects, output })))
}

/** What is left is gone on with by a process that finds it. */
async function survive({ path, effects }: Death): Promise<string> {
  const { holdfast, agents, end } = await started(path, {
    agents: [scenario(effects)],
    leaseTtlMs: 400,
    pollMs: 50,
  })
  if ((await holdfast.sessions.get('s')) === undefined) return 'nothing was accepted'
  const session = agents.at('s')
  for (;;) {
    await agents.idle()
    const view = await holdfast.sessions.get('s')
    if (view?.openQuestion) await session.answer(view.openQuestion.questionId, 'approve').result
    else if (view?.status === 'idle' || view?.status === 'created') break
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  const { events } = await holdfast.sessions.at('s').events({ limit: 1_000 })
  await end()
  const count = (type: string) => events.filter((event) => event.type === type).length
  const inputs = events.filter(
    ({ type, data }) => type === 'message.appended' && (data as { role: string }).role === 'user',
  )
  const ends = count('run.completed') + count('run.failed') + count('run.cancelled')
  expect(ends).toBe(inputs.length)
  expect(count('run.failed')).toBe(0)
  expect(count('tool.called')).toBe(count('tool.finished'))
  return inputs.length === 0 ? 'nothing was accepted' : 'ended'
}

function effectsOf({ effects }: Death): string[] {
  return existsSync(effects) ? readFileSync(effects, 'utf8').trimEnd().split('\n') : []
}

it('a turn that is killed at any durable step goes on, or ends, and charges nobody twice', async () => {
  const whole = await play(0, 'after')
  const [steps = 0] = whole.output.split(' ').map(Number)
  expect(whole.output).toMatch(/completed/)
  expect(steps).toBeGreaterThan(12)
  const points = Array.from(
    { length: steps * 2 },
    (_, i) => [1 + Math.floor(i / 2), i % 2 ? 'after' : 'before'] as const,
  )
  for (let first = 0; first < points.length; first += atOnce) {
    await Promise.all(points.slice(first, first + atOnce).map(([at, side]) => dieAndGoOn(at, side)))
  }
}, 600_000)

/** Most of the time of a death is waiting for a lease. */
const atOnce = 6

async function dieAndGoOn(at: number, side: 'before' | 'after'): Promise<void> {
  const death = await play(at, side)
  const survived = await survive(death)
  const effects = effectsOf(death)
  const where = `killed ${side} step ${at}: ${survived}: ${effects}`
  for (const once of ['charge', 'send']) {
    expect(effects.filter((line) => line.startsWith(once)).length, where).toBeLessThanOrEqual(1)
  }
  expect(new Set(effects.filter((line) => line.startsWith('look'))).size, where).toBeLessThanOrEqual(1)
}
