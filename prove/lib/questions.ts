/** Everything that can be asked of a file: at the store's seam by what its tables hold, and as a host asks. */
import { hash } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import { openHoldfast, type SessionFilters, type Store } from '@holdfast/core'
import { isHoldfastError } from '@holdfast/protocol'

/** A call: of the store, of a session as a host has it, or for a list as a host gets it. `about`: the session that it asks after. */
export interface Question {
  of: 'store' | 'session' | 'list'
  name: string
  args: unknown[]
  about?: string
}

/** What was answered, each item of a list for itself; or the code of the error, or an error that is not ours. */
export type Answer = { items: string[] } | { code: string } | { wrong: string }

/** Stands for a list row of which only its damage is told. */
export const damagedItem = 'damaged'

const always = 8.64e15
const range = { limit: 500, maxBytes: 1 << 24 }

export function questionsOf(file: string): Question[] {
  using db = new DatabaseSync(file)
  const rows = (sql: string) => {
    const statement = db.prepare(sql)
    statement.setReturnArrays(true)
    return statement.all() as unknown as string[][]
  }
  const sessions = rows(`SELECT tenants.id, sessions.id, agent, conversation, thread, root, sessions.session
    FROM sessions JOIN tenants USING (tenant)`)
  const named = (columns: string, table: string) =>
    rows(`SELECT DISTINCT tenants.id, sessions.id, ${columns} FROM ${table}
      JOIN sessions USING (session) JOIN tenants ON tenants.tenant = sessions.tenant`)
  const store = (name: string, ...args: unknown[]): Question => ({ of: 'store', name, args })
  const about = (name: string, tenant: string, session: string, ...args: unknown[]): Question => ({
    of: 'store',
    name,
    args: [tenant, session, ...args],
    about: `${tenant} ${session}`,
  })
  // A row is held against its head by whoever lists, so a list is asked for as a host does.
  const list = (tenant: string | undefined, filters: SessionFilters): Question => ({
    of: 'list',
    name: 'list',
    args: [tenant, filters],
  })
  const parts = [...new Set(rows('SELECT DISTINCT part FROM parts').flat())]
  return [
    store('listTenants'),
    ...sessions.flatMap(([tenant = '', id = '', agent = '', conversation = '', thread = '', root = '']) => [
      about('readHead', tenant, id),
      about('readEvents', tenant, id, { ...range, direction: 'forward' }),
      about('readEvents', tenant, id, { ...range, direction: 'backward' }),
      about('readSegments', tenant, id),
      about('readParts', tenant, id, parts),
      about('readWaypoint', tenant, id, always),
      about('listForks', tenant, id),
      about('listDrafts', tenant, id),
      about('readUsage', tenant, id, 0, 500),
      about('readHead', tenant, `no-${id}`),
      list(tenant, { agentId: agent }),
      list(tenant, { conversationId: conversation }),
      list(tenant, { threadId: thread }),
      list(tenant, { rootSessionId: root }),
      store('sumUsage', tenant, { sessionId: id }),
      store('sumUsage', tenant, { rootSessionId: root }),
      store('search', tenant, { words: ['tide'], sessionId: id, limit: 500, offset: 0 }),
      ...['view', 'providerView', 'messages'].map((name): Question => {
        return { of: 'session', name, args: [tenant, id], about: `${tenant} ${id}` }
      }),
    ]),
    ...named('kind, refs.id', 'refs').map(([tenant = '', id = '', ...ref]) =>
      about('readRefs', tenant, id, ...ref),
    ),
    ...named('key', 'keys').map(([tenant = '', id = '', key]) => about('readKey', tenant, id, key)),
    ...named('hash', 'attachments').map(([tenant = '', id = '', hash]) =>
      about('readAttachment', tenant, id, hash),
    ),
    ...named('drafts.id', 'drafts').map(([tenant = '', id = '', draft]) =>
      about('readDraft', tenant, id, draft, 0),
    ),
    ...named('checkpoints.thread, namespace, checkpoints.id', 'checkpoints').flatMap(
      ([tenant, , thread, namespace, id]) => [
        store('readCheckpoint', tenant, thread, namespace, id),
        store('readCheckpoint', tenant, thread, namespace),
      ],
    ),
    ...rows('SELECT tenants.id, kind, records.id FROM records JOIN tenants USING (tenant)').map((row) =>
      store('readRecord', ...row),
    ),
    ...rows('SELECT id FROM tenants').flatMap(([tenant]) => [
      list(tenant, {}),
      list(tenant, { hasQuestion: true }),
      list(tenant, { ownerUserId: 'ada' }),
      ...['expiry', 'question', 'lease'].map((kind) => store('listDue', tenant, kind, always, 500)),
      store('listRecords', tenant, 'agent', { limit: 500 }),
      store('sumUsage', tenant, {}),
      store('search', tenant, { words: ['tide'], limit: 500, offset: 0 }),
    ]),
  ]
}

export async function answersOf(store: Store, questions: readonly Question[]): Promise<Answer[]> {
  const host = await openHoldfast({ store, clock: () => 0 })
  const answers: Answer[] = []
  const ask = { store: askStore, session: askSession, list: askForList }
  for (const { of, name, args } of questions) answers.push(await answer(() => ask[of](name, args)))
  await host.close()
  return answers

  function askStore(name: string, args: readonly unknown[]): unknown {
    const ask = Reflect.get(store, name) as (...args: unknown[]) => unknown
    return ask.apply(store, [...args])
  }

  async function askSession(name: string, args: readonly unknown[]): Promise<unknown> {
    const [tenant, id] = args as [string, string]
    const session = await host.forTenant(tenant).sessions.open(id)
    return (Reflect.get(session, name) as () => unknown).call(session)
  }

  async function askForList(_name: string, args: readonly unknown[]): Promise<unknown[]> {
    const [tenant, filters] = args as [string, SessionFilters]
    const { sessions, damaged = [] } = await host.forTenant(tenant).sessions.list(filters, { limit: 500 })
    return [...sessions, ...damaged.map(() => ({ damaged: true }))]
  }
}

async function answer(ask: () => unknown): Promise<Answer> {
  try {
    const value = await ask()
    if (value === undefined) return { items: [] }
    const isList = Array.isArray(value) || value instanceof Map
    return { items: isList ? [...value].map(itemOf) : [itemOf(value)] }
  } catch (error) {
    return answerOf(error)
  }
}

export function answerOf(error: unknown): Answer {
  return isHoldfastError(error) ? { code: error.code } : { wrong: String((error as Error).stack) }
}

function itemOf(value: unknown): string {
  if ((value as { damaged?: true } | null)?.damaged) return damagedItem
  const text = JSON.stringify(value, (_key, item) => {
    return item instanceof Uint8Array ? Buffer.from(item).toString('base64') : item
  })
  return text.length < 100 ? text : hash('sha256', text)
}
