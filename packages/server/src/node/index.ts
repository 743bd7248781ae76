/** The server as a process on Node: a listener, and its end without a lost write. */
export { type ServeOptions, type Serving, serve } from './serve.ts'
