/**
 * An event as it is stored and as it is sent. The stored body is JSON text of everything but seq, type, version and
 * time; the wire text is those four and then that very text, so an event is encoded once in its life.
 */
import { type Actor, HoldfastError, isErased } from '@holdfast/protocol'
import { erasedEvent } from '../session/erased-event.ts'
import type { FoldEvent } from '../session/state.ts'
import type { NewEvent, StoredEvent } from '../store/store.ts'
import type { KnownTexts } from './known-texts.ts'
import { needsUpcast, type Upcasters, upcast } from './upcast.ts'

type Body = Omit<FoldEvent, 'seq' | 'type' | 'v' | 'at'>

export function encodeEvent(event: FoldEvent, texts?: KnownTexts): NewEvent {
  const { type, v, at } = event
  return { type, v, at, body: encodeBody(event, texts) }
}

export function encodeBody(
  { actor, traceId, runId, roundId, critical, data }: Body,
  texts?: KnownTexts,
): string {
  let text = `{"actor":${encodeActor(actor)}`
  if (traceId !== undefined) text += `,"traceId":"${traceId}"`
  if (runId !== undefined) text += `,"runId":"${runId}"`
  if (roundId !== undefined) text += `,"roundId":"${roundId}"`
  if (critical) text += ',"critical":true'
  return `${text},"data":${encodeData(data, texts)}}`
}

/** Fields that are large and were written out when they were scanned: that text is put in place. */
const largeFields = ['parts', 'output', 'data'] as const

function encodeData(data: unknown, texts: KnownTexts | undefined): string {
  if (texts === undefined) return JSON.stringify(data)
  for (const field of largeFields) {
    const value = (data as Record<string, unknown>)[field]
    const known = typeof value === 'object' && value !== null ? texts.of(value) : undefined
    if (known !== undefined) return encodeAround(data as object, field, known)
  }
  return JSON.stringify(data)
}

function encodeAround(data: object, field: (typeof largeFields)[number], known: string): string {
  const others = JSON.stringify({ ...data, [field]: undefined })
  return `${others.slice(0, -1)}${others === '{}' ? '' : ','}"${field}":${known}}`
}

function encodeActor(actor: Actor): string {
  return actor.id === undefined ? `{"kind":"${actor.kind}"}` : JSON.stringify(actor)
}

/** Throws `store_corrupt` when the body is no event. */
export function decodeEvent(row: StoredEvent, table: Upcasters): FoldEvent {
  const { seq, type, v, at } = row
  const body = parseBody(row)
  if (!needsUpcast(table, type, v) || isErased(body)) return { seq, type, v, at, ...body }
  return { seq, type, at, ...body, ...upcast(table, type, v, body.data) }
}

function parseBody({ seq, type, body }: StoredEvent): Body {
  try {
    const parsed = JSON.parse(body) as Body
    if (typeof parsed === 'object' && parsed !== null && 'data' in parsed) return parsed
  } catch (cause) {
    throw new HoldfastError('store_corrupt', `the stored ${type} at seq ${seq} is not JSON`, { cause })
  }
  throw new HoldfastError('store_corrupt', `the stored ${type} at seq ${seq} is no event`)
}

/** What followers are sent: JSON text of the whole event. */
export function wireText(row: StoredEvent, table: Upcasters): string {
  if (needsUpcast(table, row.type, row.v)) return JSON.stringify(decodeEvent(row, table))
  return wireTextOf(row.seq, row)
}

export function wireTextOf(seq: number, { type, v, at, body }: NewEvent): string {
  return `{"seq":${seq},"type":${JSON.stringify(type)},"v":${v},"at":"${at}",${body.slice(1)}`
}

/** The body that takes the place of a stored one when its event is erased. */
export function erasedBody(row: StoredEvent, table: Upcasters, forgotten?: ReadonlySet<string>): string {
  return encodeBody(erasedEvent(decodeEvent(row, table), forgotten))
}
