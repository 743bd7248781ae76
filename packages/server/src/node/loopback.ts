import { HoldfastError } from '@holdfast/protocol'

const loopback = ['127.0.0.1', 'localhost', '::1']

/** What a URL may have as its host when only this machine is to reach the server. */
export const loopbackHosts: readonly string[] = ['127.0.0.1', 'localhost', '[::1]']

export function isLoopback(host: string): boolean {
  return loopback.includes(host)
}

/** Without keys everyone who reaches the server may do everything: so nobody else may reach it. */
export function requireLoopback(host: string): void {
  if (isLoopback(host)) return
  throw new HoldfastError(
    'invalid_input',
    `host: ${host} can be reached from elsewhere, and without keys everyone would be let in. Make a secret with
\`openssl rand -base64 32\`, start the server with it as HOLDFAST_PEPPER, and give callers keys; or listen on 127.0.0.1.`,
  )
}
