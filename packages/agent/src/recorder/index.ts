/**
 * For those who keep their own loop: what it does is written to a session, and lasts.
 *
 *     const recorder = recordTo(await holdfast.sessions.create({ agentId: 'support' }))
 *     const model = wrapLanguageModel({ model: anthropic('claude'), middleware: recorder.middleware })
 */
export type { Clock } from '../clock.ts'
export type { Counted } from './ledger-row.ts'
export type { RecordableSession, RecorderOptions } from './options.ts'
export type { CallAbout, CallAnswer, RecordedCall } from './recorded-call.ts'
export type { RecordedResult } from './recorded-run.ts'
export { type Recorder, recordTo } from './recorder.ts'
export type { RecordedRound, RecordedTurn } from './turn.ts'
