import type { LanguageModelV4CallOptions } from '@ai-sdk/provider'

/** What a model call is made with, whatever it is about; as the provider takes it. */
export type CallSettings = Pick<
  LanguageModelV4CallOptions,
  | 'temperature'
  | 'topP'
  | 'topK'
  | 'presencePenalty'
  | 'frequencyPenalty'
  | 'stopSequences'
  | 'seed'
  | 'toolChoice'
  | 'headers'
  | 'providerOptions'
>
