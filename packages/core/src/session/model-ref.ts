/** A model by its bare name, or as `provider/model`: it splits on the first slash, for names of models hold slashes too. */
export interface ModelRef {
  providerId?: string
  model: string
}

export function splitModel(text: string): ModelRef {
  const slash = text.indexOf('/')
  if (slash <= 0 || slash === text.length - 1) return { model: text }
  return { providerId: text.slice(0, slash), model: text.slice(slash + 1) }
}
