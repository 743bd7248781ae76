/** The server as a process on Node: a listener, and its end without a lost write. */
export { isLoopback } from './loopback.ts'
export { faultLog, type LogLevel, requestLog } from './request-log.ts'
export { type ServeOptions, type Serving, serve } from './serve.ts'
