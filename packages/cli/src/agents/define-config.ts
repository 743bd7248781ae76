import type { Agent } from '@holdfast/agent'
import type { Config } from '../place/config.ts'

/** What the default export of a `holdfast.config.ts` is. */
export interface HoldfastConfig extends Config {
  /**
   * Who answers in sessions. Without them there is one agent, `default`. As a function they are made only for commands that
   * need agents: what it imports costs the others no time.
   */
  agents?: readonly Agent[] | (() => readonly Agent[] | Promise<readonly Agent[]>)
}

/** Gives the config back; it is there for its types. */
export function defineConfig(config: HoldfastConfig): HoldfastConfig {
  return config
}
