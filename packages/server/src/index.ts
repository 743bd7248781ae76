/** Holdfast over HTTP: a web-standard fetch handler over an open Holdfast. */
export { type Authenticate, type Credential, serverTenant } from './access/credential.ts'
export type { Reach } from './access/guard.ts'
export { Keys, type KeysOptions, type NewKey } from './access/keys.ts'
export { createServer, type HoldfastServer, type ServerOptions } from './handler.ts'
export { serverLimits } from './limits.ts'
export type { Answered } from './operations/answered.ts'
export type { Call, Method, Route } from './route.ts'
export { routes } from './routes/index.ts'
