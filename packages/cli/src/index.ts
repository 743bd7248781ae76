/** For `holdfast.config.ts`; the command itself is no library. */
export { defineConfig, type HoldfastConfig } from './agents/define-config.ts'
export type { Config } from './place/config.ts'
