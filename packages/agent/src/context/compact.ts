/**
 * Makes a context fit that does not: the cheapest first. Old tool outputs are shown shortened; then the largest stretch
 * gets a summary that a model writes; where that fails, and the context does not fit without, an outline made without one.
 * Each is an overlay that is checked before it holds; while none holds, the context stays as it was. Where none can, and it
 * must fit, newer outputs are shown shortened too: an agent can ask again for what it misses, and does nothing without room.
 */
import type { ContextState, HostCommand, UnseenSession } from '@holdfast/core'
import { type CompactionRecord, isHoldfastError } from '@holdfast/protocol'
import { messageOf } from '../message-of.ts'
import type { CountTokens } from './count.ts'
import { type Entry, readEntries, type Standing } from './entries.ts'
import { lastTrimPlace, stretchesOf, trimPlace } from './plan-compaction.ts'
import { outlineOf, transcriptOf } from './transcript.ts'

export interface Compacting {
  session: UnseenSession
  count: CountTokens
  /** The agent's own. */
  instructions: string | undefined
  newId(): string
  /** Writes as whoever works on the session. */
  write(commands: readonly HostCommand[]): Promise<unknown>
  /** Asks a model; throws when there is none to ask. */
  summarise(transcript: string, instructions: string | undefined): Promise<{ text: string; model: string }>
}

export interface Wanted {
  trigger: CompactionRecord['trigger']
  tokens: number
  /** A context that is larger must be made smaller, whoever summarises it. */
  roomTokens: number
  /** It was measured just now, is larger, and a call waits for it. */
  mustFit: boolean
  /** For this once, before those of the session and of the agent. */
  instructions?: string
}

/** Whether something holds now that did not before. */
export async function compact(work: Compacting, wanted: Wanted): Promise<boolean> {
  const state = await work.session.contextState()
  const standing = await readEntries(work.session, state)
  if (wanted.trigger !== 'manual' && (await trim(work, state, standing, trimPlace(standing)))) return true
  const { compressionInstructions } = await work.session.view()
  const instructions = wanted.instructions ?? compressionInstructions ?? work.instructions
  const sizeOf = (entry: Entry): number => work.count(JSON.stringify(entry.parts))
  for (const stretch of stretchesOf(standing, sizeOf)) {
    if (await cover(work, { ...wanted, instructions, pathSeq: state.pathSeq }, stretch)) return true
  }
  const missing = wanted.mustFit ? wanted.tokens - wanted.roomTokens : 0
  const place = missing > 0 && lastTrimPlace(standing, { missing, sizeOf, after: state.trimmedThrough ?? 0 })
  return place ? trim(work, state, standing, place) : false
}

type Sized = ReturnType<typeof stretchesOf>[number]
type Attempt = Omit<Wanted, 'instructions'> & { instructions: string | undefined; pathSeq: number }

/** An output above this is shown as its beginning and its end; see the view. */
const trimmedChars = 2 * 1_024

async function trim(
  { write }: Compacting,
  { trimmedThrough = 0 }: ContextState,
  standing: Standing,
  throughSeq: number,
): Promise<boolean> {
  const trimmed = standing.entries.filter(({ role, place, parts, stays }) => {
    return (
      role === 'tool' &&
      !stays &&
      place > trimmedThrough &&
      place <= throughSeq &&
      JSON.stringify(parts).length > trimmedChars
    )
  }).length
  if (trimmed === 0) return false
  await write([{ type: 'trimContext', trimmed, throughSeq }])
  return true
}

async function cover(work: Compacting, attempt: Attempt, stretch: Sized): Promise<boolean> {
  const written = await modelSummary(work, attempt, stretch)
  if (written && (await apply(work, attempt, stretch, written))) return true
  if (attempt.tokens <= attempt.roomTokens) return false
  // A token has more than two characters of such text: the outline is shorter than what it stands for.
  const text = outlineOf(stretch.entries, Math.min(mostOutlineChars, stretch.size * 2))
  return apply(work, { ...attempt, trigger: 'model_free' }, stretch, { text })
}

const mostOutlineChars = 8_000

/** A summary that the stretch holds is a part of what is summarised: the new one stands for both. */
async function modelSummary(
  work: Compacting,
  { trigger, instructions }: Attempt,
  { entries }: Sized,
): Promise<{ text: string; model: string } | undefined> {
  try {
    return await work.summarise(transcriptOf(entries), instructions)
  } catch (error) {
    if (isHoldfastError(error)) throw error
    await failed(work, trigger, messageOf(error))
    return undefined
  }
}

async function apply(
  work: Compacting,
  { trigger, tokens, pathSeq }: Attempt,
  { from, to, entries, size }: Sized,
  { text, model }: { text: string; model?: string },
): Promise<boolean> {
  const summaryTokens = work.count(text)
  if (text.trim() === '' || summaryTokens >= size) {
    await failed(
      work,
      trigger,
      text.trim() === '' ? 'the summary is blank' : 'the summary is no shorter than what it covers',
    )
    return false
  }
  const record = {
    compactionId: work.newId(),
    from,
    to,
    trigger,
    tokensBefore: tokens,
    tokensAfter: Math.max(0, tokens - size + summaryTokens),
    messagesCovered: entries.length,
    ...(model !== undefined && { model }),
  }
  return applied(work, { pathSeq, record, summary: text, summaryTokens })
}

/** The path may have changed since the stretch was read: then nothing holds, and the next round looks again. */
async function applied(
  work: Compacting,
  compaction: { pathSeq: number; record: CompactionRecord; summary: string; summaryTokens: number },
): Promise<boolean> {
  try {
    await work.write([{ type: 'applyCompaction', ...compaction }])
    return true
  } catch (error) {
    if (!isHoldfastError(error, 'path_changed') && !isHoldfastError(error, 'invalid_compaction')) throw error
    await failed(work, compaction.record.trigger, error.message)
    return false
  }
}

async function failed(work: Compacting, trigger: CompactionRecord['trigger'], reason: string): Promise<void> {
  await work.write([
    {
      type: 'failCompaction',
      compactionId: work.newId(),
      trigger,
      reason: reason.slice(0, 1_000).toWellFormed(),
    },
  ])
}
