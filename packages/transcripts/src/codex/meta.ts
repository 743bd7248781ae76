/** What the first line of a rollout tells: which thread it is, how it began, and which thread spawned it. */
import { hash } from 'node:crypto'
import { basename } from 'node:path'
import { isTime, type JsonObject, limits } from '@holdfast/protocol'
import type { Lineage } from '../contract.ts'
import { isName, objectOf } from '../openai-responses/items.ts'
import { type Line, readLines } from '../read-lines.ts'
import { Source } from '../source.ts'
import { isBareMeta } from './bare.ts'

export interface Meta {
  payload: JsonObject
  at: string | undefined
  /** Undefined: there is none. */
  begin: string | undefined
  isBare: boolean
}

export async function readMeta(lines: AsyncIterable<Line>): Promise<Meta> {
  for await (const { value } of lines) {
    if (value === undefined) continue
    const payload = objectOf(value.payload)
    const at = isTime(value.timestamp) ? value.timestamp : undefined
    const begin = hash('sha256', JSON.stringify(value), 'hex')
    if (isBareMeta(value)) return { payload: value, at, begin, isBare: true }
    return { payload: (value.type === 'session_meta' && payload) || {}, at, begin, isBare: false }
  }
  return { payload: {}, at: undefined, begin: undefined, isBare: false }
}

/** Of a sub-agent; a fork names where its history was copied from, and has no parent. */
export function parentThreadOf(meta: JsonObject): string | undefined {
  const named = [meta.parent_thread_id, spawnIn(meta)?.parent_thread_id].map(nameOf)
  return named.find((thread) => thread !== undefined && thread !== meta.id)
}

/** As what the sub-agent was spawned; some are known by what they are for. */
export function roleOf(meta: JsonObject): string | undefined {
  const subagent = objectOf(meta.source)?.subagent
  const named = [spawnIn(meta)?.agent_role, meta.agent_role, subagent, objectOf(subagent)?.other].map(nameOf)
  return named.find((role) => role !== undefined)
}

function spawnIn({ source }: JsonObject): JsonObject | undefined {
  return objectOf(objectOf(objectOf(source)?.subagent)?.thread_spawn)
}

export function nicknameOf(meta: JsonObject): string | undefined {
  return nameOf(spawnIn(meta)?.agent_nickname) ?? nameOf(meta.agent_nickname)
}

const rolloutName = /^rollout-.*\.jsonl(\.zst)?$/

/** What a rollout goes on from: it copies nothing, and names the file whose beginning is its history. */
export interface Base {
  /** The id of that file. */
  rollout: string
  /** Bytes of it that are the history. */
  end: number
}

export function baseOf({ history_base }: JsonObject): Base | undefined {
  const { thread_id, end_byte_offset: end } = objectOf(history_base) ?? {}
  const rollout = nameOf(thread_id)
  return rollout === undefined
    ? undefined
    : { rollout, end: typeof end === 'number' ? end : Number.MAX_VALUE }
}

/**
 * The id of a file by its name. A thread that was resumed or taken back has several files; the first has the thread's id, and a
 * later one may have lost its own.
 */
export function rolloutIn(name: string, thread: string, { payload, begin }: Meta): string {
  const [, later] = laterName.exec(name.replaceAll(thread, '')) ?? []
  const isFirst = later === undefined && baseOf(payload)?.rollout !== thread
  return isFirst ? thread : (later ?? `${thread}#${begin?.slice(0, 16)}`)
}

const laterName = /^rollout-[\dT-]+_([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/

/** Of a file that has the name which Codex gives. What else is wrong with it is told when it is read. */
export async function lineageOf(path: string): Promise<Lineage | undefined> {
  if (!rolloutName.test(basename(path))) return undefined
  const meta = await metaIn(path).catch(() => undefined)
  const thread = nameOf(meta?.payload.id)
  if (!meta || thread === undefined) return undefined
  const id = rolloutIn(basename(path, '.zst'), thread, meta)
  const before = [parentThreadOf(meta.payload), baseOf(meta.payload)?.rollout]
  return { id, after: before.flatMap((name) => (name === undefined || name === id ? [] : [name])) }
}

async function metaIn(path: string): Promise<Meta> {
  const source = await Source.open(path)
  try {
    return await readMeta(firstLines(source))
  } finally {
    await source.close()
  }
}

async function* firstLines(source: Source): AsyncGenerator<Line> {
  const asItIs = (text: string) => text
  const options = { from: { byte: 0, line: 0 }, clean: asItIs }
  for await (const lines of readLines(pieces(source), options)) yield* lines
}

/** A first line is short most often: what is read grows with it. */
async function* pieces(source: Source): AsyncGenerator<Buffer> {
  for (let [start, end] = [0, 64 * 1024]; start < limits.lineBytes; [start, end] = [end, end * 2])
    yield* source.chunks(start, end)
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

export function nameOf(value: unknown): string | undefined {
  return isName(value) ? value : undefined
}
