/** For tests of programs that call models: scripted providers and models, their faults, and recorded exchanges. */

export {
  type Fetch,
  type RecordedExchange,
  type RecordOptions,
  type Replay,
  recordExchanges,
  replayExchanges,
} from './exchanges.ts'
export type { Fault } from './faults.ts'
export { offlineModelId, offlineScripted } from './offline-scripted.ts'
export {
  type ProviderStub,
  type ProviderStubOptions,
  type StubExchange,
  startProviderStub,
} from './provider-stub.ts'
export type { Asked, Script, ScriptEntry, ScriptedPart, ScriptedReply, ScriptedUsage } from './script.ts'
export { type ScriptedModelOptions, scriptedModel } from './scripted-model.ts'
