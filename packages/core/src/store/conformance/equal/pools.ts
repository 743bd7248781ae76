/** Small pools of names and texts, so that random commands meet each other. */
import assert from 'node:assert/strict'
import { limits, type TenantId, tenantId } from '@holdfast/protocol'
import type { Attachment, ListIndex } from '../../store.ts'
import { attachmentOf, bodyOfBytes } from '../build.ts'
import { hostileBodies } from '../hostile.ts'
import type { Spot } from './intents.ts'

const tenants = [tenantId('tenant-a'), tenantId('tenant-b')]
const sessions = ['s1', 's2', 's_3', 'S1', 'é', "s'5", '%', '\uff21', '😀', 'a-1', 'a.1', 'B']
const aside = [-1, 0, 1].map((step) => bodyOfBytes(limits.asideBytes + step, '中'))
const bodies = ['{}', '"one fox"', '"two dogs and a fox"', '"中文"', ...aside, ...hostileBodies]
const words = ['fox', 'dogs', '中', 'two', 'fill', 'minus', 'erased', '"']
const files = ['first file', 'second file', '']
const values = ['v1', "v'2", '%']

export const indexBytes = 100_000

function pick<T>(pool: readonly T[], index: number): T {
  const found = pool[index % pool.length]
  assert.ok(found !== undefined)
  return found
}

export function tenant(index: number): TenantId {
  return pick(tenants, index)
}

export function session(index: number): string {
  return pick(sessions, index)
}

export function spot({ tenant: owner, session: index }: Spot): [TenantId, string] {
  return [tenant(owner), session(index)]
}

export function body(index: number): string {
  return pick(bodies, index)
}

export function word(index: number): string {
  return pick(words, index)
}

export function draft(index: number): string {
  return `draft ${index}`
}

export function file(index: number): Attachment {
  return attachmentOf(pick(files, index))
}

/** What a head says its owner, agent, conversation and thread are. */
export function value(index: number): string {
  return pick(values, index)
}

export function listValue(index: ListIndex, chosen: number): { value?: string } {
  if (index === 'all' || index === 'question') return {}
  return { value: index === 'root' ? session(chosen) : value(chosen) }
}
