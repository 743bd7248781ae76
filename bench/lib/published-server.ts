/** The server as it is published, in a process that is started as `npm start` and the image start one. */
import type { Fared, ServerJob, ServerQuestion } from '../child/server.ts'
import type { Place } from '../http/connection.ts'
import { buildInto } from './built.ts'
import { Helper } from './helper.ts'
import type { TemporaryFolder } from './place.ts'
import { plainScript } from './plain-script.ts'
import { serverFlags } from './server-flags.ts'

export type Server = Helper<Place, ServerQuestion, Fared>

/** On a file in the folder. */
export async function startServer(folder: TemporaryFolder): Promise<Server> {
  const job: ServerJob = { path: folder.path('holdfast.db'), built: buildInto(folder.path('built')) }
  const script = await plainScript(new URL('../child/server.ts', import.meta.url), folder.path('child'))
  return Helper.start(script, job, serverFlags)
}
