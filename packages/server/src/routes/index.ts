/** Every route there is, each declared once. */
import type { Route } from '../route.ts'
import { childRoutes } from './children.ts'
import { contextRoutes } from './context.ts'
import { eventRoutes } from './events.ts'
import { exchangeRoutes } from './exchange.ts'
import { fleetRoutes } from './fleet.ts'
import { forgettingRoutes } from './forgetting.ts'
import { keyRoutes } from './keys.ts'
import { ledgerRoutes } from './ledger.ts'
import { questionRoutes } from './questions.ts'
import { recordRoutes } from './records.ts'
import { runRoutes } from './runs.ts'
import { searchRoutes } from './search.ts'
import { serviceRoutes } from './service.ts'
import { sessionRoutes } from './sessions.ts'
import { tenantRoutes } from './tenants.ts'
import { transcriptRoutes } from './transcript.ts'
import { turnRoutes } from './turns.ts'
import { workRoutes } from './work.ts'

export const routes: readonly Route[] = [
  ...sessionRoutes,
  ...transcriptRoutes,
  ...eventRoutes,
  ...fleetRoutes,
  ...turnRoutes,
  ...questionRoutes,
  ...workRoutes,
  ...contextRoutes,
  ...childRoutes,
  ...runRoutes,
  ...exchangeRoutes,
  ...ledgerRoutes,
  ...searchRoutes,
  ...recordRoutes,
  ...forgettingRoutes,
  ...keyRoutes,
  ...tenantRoutes,
  ...serviceRoutes,
]
