/** For tests of programs that call models: scripted providers and models, their faults, and recorded exchanges. */
export type { Fault } from './faults.ts'
export {
  type ProviderStub,
  type ProviderStubOptions,
  type StubExchange,
  startProviderStub,
} from './provider-stub.ts'
export type { Asked, Script, ScriptEntry, ScriptedPart, ScriptedReply, ScriptedUsage } from './script.ts'
