import type { Agent } from '@holdfast/agent'

export type Model = Agent['models'][number]

/** `provider/model`, as people name it; what a script says goes by the name of the script alone. */
export function modelName(model: Model): string {
  if (typeof model === 'string') return model
  const [provider = ''] = model.provider.split('.')
  return provider === 'holdfast' ? model.modelId : `${provider}/${model.modelId}`
}
