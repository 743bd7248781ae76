/** Pages elsewhere that may call the server from a browser. None may unless it is named. */
import { HoldfastError } from '@holdfast/protocol'

const exposed =
  'accept-ranges, content-range, etag, idempotency-replayed, location, ratelimit, ratelimit-policy, retry-after, x-request-id'
const asked =
  'authorization, content-type, idempotency-key, if-match, if-none-match, if-range, last-event-id, prefer, range, traceparent, x-request-id'
const daySecs = 86_400

/** What a page on another site, or at another port or name of the same one, has as its `Sec-Fetch-Site`. */
const elsewhere: readonly (string | null)[] = ['cross-site', 'same-site']

export class Cors {
  readonly #origins: ReadonlySet<string>

  constructor(origins: readonly string[]) {
    this.#origins = new Set(origins)
  }

  /** For an answer to this request; nothing where its page is not named. */
  headersFor(request: Request): Record<string, string> {
    const origin = request.headers.get('origin')
    if (origin === null || !this.#origins.has(origin)) return {}
    return {
      'access-control-allow-origin': origin,
      'access-control-expose-headers': exposed,
      'cross-origin-resource-policy': 'cross-origin',
      vary: 'origin',
    }
  }

  /** The answer to a browser that asks whether it may ask; undefined for any other request. */
  preflight(request: Request): Response | undefined {
    const isAsking = request.method === 'OPTIONS' && request.headers.has('access-control-request-method')
    const headers = this.headersFor(request)
    if (!isAsking || !('access-control-allow-origin' in headers)) return undefined
    const allow = {
      'access-control-allow-methods': 'GET, POST, PUT, PATCH, DELETE',
      'access-control-allow-headers': asked,
      'access-control-max-age': String(daySecs),
    }
    return new Response(null, { status: 204, headers: { ...headers, ...allow } })
  }

  /** Throws `forbidden` for what changes something and comes from a page elsewhere that is not named. Programs name no page. */
  requireOwnPage(request: Request): void {
    if (['GET', 'HEAD'].includes(request.method)) return
    const origin = request.headers.get('origin')
    if (origin !== null && this.#origins.has(origin)) return
    const isOwn = origin === null || hostOf(origin) === new URL(request.url).host
    if (isOwn && !elsewhere.includes(request.headers.get('sec-fetch-site'))) return
    throw new HoldfastError('forbidden', 'this server is not called by pages of that origin.')
  }
}

/** Undefined where it has none, as `null`. */
function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined
}
