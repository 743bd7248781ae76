/** What one session of the engine does, one operation after the other: appends, keys, versions, questions, and reads of them. */
import { chain, type Model } from './check.ts'

export type EngineOp =
  | { do: 'append'; text: string; key?: string; expectedVersion?: number; answer?: WriteAnswer }
  | { do: 'ask'; question: string; answer?: WriteAnswer }
  | { do: 'answer'; question: string; with: string; answer?: WriteAnswer }
  | { do: 'view'; answer?: { seq: number; version: number; question: string } }
  /** Answered with what each event says. */
  | { do: 'events'; after: number; limit: number; answer?: string[] }

/** Where it stands, or the code of its refusal. */
export type WriteAnswer = { seq: number; replayed: boolean } | string

interface EngineState {
  /** What each event says. */
  log: readonly string[]
  hash: number
  keys: ReadonlyMap<string, { text: string; seq: number }>
  /** The open one; empty: none. */
  question: string
}

/** Of a session that begins with these events. */
export function engineModel(begun: readonly string[]): Model<EngineState, EngineOp> {
  return {
    initial: { log: begun, hash: 0, keys: new Map(), question: '' },
    apply(state, op) {
      switch (op.do) {
        case 'append':
          return append(state, op)
        case 'ask':
          if (state.question !== '') return refused(state, op, 'question_open')
          return written(state, op, { says: `asked ${op.question}`, question: op.question })
        case 'answer':
          if (state.question !== op.question) return refused(state, op, 'question_not_open')
          return written(state, op, { says: `answered ${op.question} ${op.with}`, question: '' })
        case 'view':
          return ifAnswer(state, op.answer, viewOf(state))
        case 'events':
          return ifAnswer(state, op.answer, state.log.slice(op.after, op.after + op.limit))
      }
    },
    digest: ({ log, hash, question }) => `${log.length} ${hash} ${question}`,
  }
}

type Write = Extract<EngineOp, { do: 'append' | 'ask' | 'answer' }>

/** No run lives, so every event is of the side lane and moves the version. */
function viewOf({ log, question }: EngineState) {
  return { seq: log.length, version: log.length, question }
}

function ifAnswer<T>(state: EngineState, answer: T | undefined, expected: T): EngineState[] {
  return answer === undefined || JSON.stringify(answer) === JSON.stringify(expected) ? [state] : []
}

/** Too many rivals refuse any write, and nothing happened. */
function refused(state: EngineState, { answer }: Write, code: string): EngineState[] {
  return answer === undefined || answer === code || answer === 'contention' ? [state] : []
}

function written(
  state: EngineState,
  { answer }: Write,
  { says, question = state.question }: { says: string; question?: string },
): EngineState[] {
  if (answer === 'contention') return [state]
  const log = [...state.log, says]
  const after: EngineState = { ...state, log, hash: chain(state.hash, says), question }
  return ifAnswer<WriteAnswer>(after, answer, { seq: log.length, replayed: false })
}

function append(state: EngineState, op: Extract<EngineOp, { do: 'append' }>): EngineState[] {
  const used = op.key === undefined ? undefined : state.keys.get(op.key)
  if (used?.text === op.text)
    return ifAnswer<WriteAnswer>(state, op.answer, { seq: used.seq, replayed: true })
  if (used) return refused(state, op, 'key_conflict')
  if (op.expectedVersion !== undefined && op.expectedVersion !== state.log.length)
    return refused(state, op, 'version_conflict')
  return written(state, op, { says: op.text }).map((after) =>
    op.key === undefined || after === state ? after : { ...after, keys: withKey(after, op.key, op.text) },
  )
}

function withKey({ keys, log }: EngineState, key: string, text: string): EngineState['keys'] {
  return new Map(keys).set(key, { text, seq: log.length })
}
