/** A planted bug: a model that is not told what the first tools gave, so that their calls stand without results. */
import type { LanguageModelV4, LanguageModelV4CallOptions } from '@ai-sdk/provider'

export function forgetful(model: LanguageModelV4): LanguageModelV4 {
  const { provider, modelId, supportedUrls } = model
  return {
    ...{ specificationVersion: 'v4', provider, modelId, supportedUrls },
    doGenerate: (options) => model.doGenerate(withoutFirstResults(options)),
    doStream: (options) => model.doStream(withoutFirstResults(options)),
  }
}

function withoutFirstResults(options: LanguageModelV4CallOptions): LanguageModelV4CallOptions {
  const first = options.prompt.findIndex(({ role }) => role === 'tool')
  return { ...options, prompt: options.prompt.filter((_message, at) => at !== first) }
}
