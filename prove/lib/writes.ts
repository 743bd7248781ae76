/**
 * The writes of a proof. What one sends follows from its id alone, so that the same can be sent again after a crash,
 * and what it must leave in the log can be said without asking the engine.
 */

import { createHash } from 'node:crypto'
import type { HostCommand } from '@holdfast/core'
import { line } from './contents.ts'
import type { Bill, Kind } from './history.ts'
import { Random } from './random.ts'

export interface Write {
  commands: HostCommand[]
  /** What the log must say. */
  lines: string[]
  bill?: Bill
}

export function writeOf(op: string, kind: Kind): Write {
  const random = randomOf(op)
  if (kind === 'run') return recordedRun(op, random)
  const messages = [text('user', op, random), ...(kind === 'talk' ? [text('assistant', op, random)] : [])]
  return {
    commands: messages.map((message) => ({ type: 'append', message })),
    lines: messages.map(({ role, parts }) => line(role, parts)),
  }
}

export function randomOf(op: string): Random {
  return new Random(createHash('sha256').update(op).digest().readUInt32LE())
}

function recordedRun(op: string, random: Random): Write {
  const calls = Array.from({ length: 1 + random.below(3) }, (_, n) => callPart(`${op}.${n}`))
  const [asking, final] = [text('assistant', op, random), text('assistant', `${op} final`, random)]
  asking.parts.push(...calls)
  const bill = billOf(random)
  const results = calls.map(({ callId }) => ({ callId, output: `done ${random.next()}` }))
  return {
    bill,
    commands: [
      { type: 'startRun', recorded: true, runId: op, owner: 'recorder', ttlMs: 1_000 },
      { type: 'startRound' },
      { type: 'append', message: asking },
      ...results.map((result): HostCommand => ({ type: 'finishTool', ...result })),
      { type: 'recordUsage', usage: usageOf(op, bill) },
      { type: 'append', message: final },
      { type: 'completeRound' },
      { type: 'completeRun' },
    ],
    lines: [
      line('start', op),
      line('assistant', asking.parts),
      ...results.map(({ callId, output }) => line('result', output, callId)),
      usageLine(op, bill),
      line('assistant', final.parts),
    ],
  }
}

type Part = { type: 'text'; text: string } | ReturnType<typeof callPart>

export function text(
  role: 'user' | 'assistant',
  op: string,
  random: Random,
): { role: typeof role; parts: Part[] } {
  return { role, parts: [{ type: 'text', text: `${op} ${role} ${filler(random)}` }] }
}

/** Mostly short; now and then longer than a page, so that bodies kept aside and overflow pages take part. */
function filler(random: Random): string {
  return 'the tide returns '.repeat(random.chance(0.05) ? 700 : 1 + random.below(60))
}

export function callPart(callId: string) {
  return { type: 'tool_call' as const, callId, name: 'lookup', input: { id: callId } }
}

export function billOf(random: Random): Bill {
  return {
    promptTokens: random.below(100_000),
    completionTokens: random.below(10_000),
    costMicrocents: random.below(1e9),
  }
}

export function usageOf(op: string, bill: Bill) {
  const rest = {
    purpose: 'turn',
    status: 'ok',
    reasoningTokens: 0,
    cachedReadTokens: 0,
    cachedWriteTokens: 0,
  } as const
  return { attemptId: op, ...bill, costSource: 'provider' as const, estimated: false, ...rest }
}

export function usageLine(op: string, { promptTokens, completionTokens, costMicrocents }: Bill): string {
  return line('usage', op, promptTokens, completionTokens, costMicrocents)
}
