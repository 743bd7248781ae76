/** A model as a host names it → the one interface that calls are made through. */
import type { LanguageModelV4 } from '@ai-sdk/provider'
import type { LanguageModel } from 'ai'

/** Models of the current interface need nothing of the SDK: it is loaded for names and for older ones. */
export async function resolveModel(model: LanguageModel): Promise<LanguageModelV4> {
  if (typeof model === 'object' && model.specificationVersion === 'v4') return model
  const { resolveLanguageModel } = await import('ai/internal')
  return resolveLanguageModel(model)
}
