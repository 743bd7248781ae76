import type { Holdfast } from '@holdfast/core'
import type { Keys } from './access/keys.ts'
import type { Tenants } from './access/tenants.ts'
import type { AgentHost } from './agents.ts'
import type { Audit } from './operations/audit.ts'
import type { Fleet } from './streams/fleet.ts'
import type { Followers } from './streams/followers.ts'
import type { Frames } from './streams/frames.ts'

/** What all requests of one server share. */
export interface Service {
  /** Any tenant's; `forTenant` gives the others. */
  readonly holdfast: Holdfast
  readonly followers: Followers
  readonly fleet: Fleet
  readonly frames: Frames
  /** Absent where there are no keys: one tenant, one caller. */
  readonly keys: Keys | undefined
  readonly tenants: Tenants
  readonly audit: Audit
  /** Absent where no agents work in this server. */
  readonly agents: AgentHost | undefined
  /** Aborts when the server stops taking requests. */
  readonly stopping: AbortSignal
  /** Milliseconds. */
  readonly clock: () => number
  /** Figures in Prometheus' text format. */
  metrics(): string
  /** The API as a page for people. */
  reference(): string
  /** The OpenAPI document, as JSON text. */
  document(): string
}
