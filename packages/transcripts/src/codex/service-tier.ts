/** How soon calls are answered, from line to line. */
import type { Json, JsonObject } from '@holdfast/protocol'
import { objectOf } from '../openai-responses/items.ts'
import { isUsualTier } from '../openai-responses/usage.ts'

export class ServiceTier {
  /** As it was told last: asked for, or answered with. */
  #tier: Json

  /** `position`: where an earlier reading stopped. */
  constructor(position: JsonObject | undefined) {
    this.#tier = position?.tier ?? null
  }

  get isUsual(): boolean {
    return isUsualTier(this.#tier)
  }

  position(): JsonObject {
    return this.isUsual ? {} : { tier: this.#tier }
  }

  /** Must be told of each line. Settings are told whole; a turn says where there is none any more; others have none to tell. */
  read({ type, payload }: JsonObject): void {
    const told = objectOf(payload)
    const settings = objectOf(told?.thread_settings)
    if (settings) this.#tier = settings.service_tier ?? null
    else if (type === 'turn_context' && told?.service_tier === null) this.#tier = null
    else this.#tier = told?.service_tier ?? this.#tier
  }
}
