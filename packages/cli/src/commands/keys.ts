/** `holdfast keys`: what a server lets callers in by. */
import {
  HoldfastError,
  type KeyInfo,
  parseInput,
  recordSchemas,
  type Scope,
  scope,
  toTime,
} from '@holdfast/protocol'
import type { Argument } from 'commander'
import { command, examples } from '../command.ts'
import type { Context, Ended } from '../context.ts'
import { resolveKeyId } from '../place/key-id.ts'
import { type AskedKey, type Keyring, keyring } from '../place/keyring.ts'
import { moment } from '../terminal/figures.ts'
import { plainLine } from '../terminal/plain.ts'
import { type Column, tableLines } from '../terminal/table.ts'
import { age, choices, positiveNumber, several } from '../values.ts'

interface Options {
  name?: string
  scope?: Scope[]
  user?: string
  session?: string[]
  expires?: number
  perMinute?: number
}

const actions = ['create', 'list', 'revoke'] as const

export const keysCommand = command<Options>({
  define(command) {
    const [action] = command.registeredArguments as readonly [Argument]
    action.choices(actions)
    command
      .option('--name <name>', 'create: what it is for')
      .addOption(
        choices(
          '--scope <scopes>',
          'create: what it may do; several with commas; default all',
          scope.options,
        ),
      )
      .option('--user <id>', 'create: only what belongs to this user')
      .option('--session <id>', 'create: only this session; may be given again', several)
      .option('--per-minute <count>', 'create: so many requests a minute at most', positiveNumber)
      .option('--expires <age>', 'create: after this time, such as 90d', age)
    examples(command, [
      ['holdfast keys create --name me', 'for everything; it is shown this once'],
      ['holdfast keys create --name bot --scope read,write --user u1 --expires 90d', 'bounded'],
      ['holdfast keys list', 'those there are, never what they were shown as'],
      ['holdfast keys revoke 4f0c2a', 'from now on; a running server heeds it within seconds'],
    ])
  },
  async run(context, [action = '', id], options) {
    if (action === 'create') return createKey(context, options)
    if (action === 'list') return listKeys(context)
    return revokeKey(context, id)
  },
})

async function createKey(context: Context, options: Options): Promise<Ended> {
  const { output, world } = context
  const { name, scope: scopes = scope.options, user, session, expires, perMinute } = options
  if (name === undefined) throw new HoldfastError('invalid_input', '--name: say what the key is for.')
  const asked = {
    name,
    scopes,
    ...(user !== undefined && { userId: user }),
    ...(perMinute !== undefined && { perMin: perMinute }),
    ...(session && { sessionIds: session }),
    ...(expires !== undefined && { expiresAt: toTime(world.now() + expires) }),
  }
  check(asked)
  const ring = await keyring(context, { create: true })
  const isFirst = await isEmpty(ring)
  const made = await ring.create(asked)
  if (output.wantsData) await output.one(made)
  else {
    await output.lines([made.key])
    await output.aside(`Key ${made.id}, shown this once: keep it, as HOLDFAST_KEY for this command.`)
    if (isFirst)
      await output.aside('A server that was started without keys lets everyone in until it is started again.')
  }
  return undefined
}

/** Before anything is made: a secret without a key would lock everyone out. */
function check(asked: AskedKey): void {
  parseInput(recordSchemas.api_key.omit({ digest: true, tenantId: true, createdAt: true }), asked, 'key')
}

async function isEmpty(ring: Keyring): Promise<boolean> {
  for await (const _ of ring.all()) return false
  return true
}

const columns: readonly Column<KeyInfo>[] = [
  { title: 'id', cell: ({ id }) => id },
  { title: 'name', cell: ({ name }) => plainLine(name) },
  { title: 'scopes', cell: ({ scopes }) => scopes.join(',') },
  { title: 'bound to', cell: boundsOf },
  { title: 'made', cell: ({ createdAt }) => moment(createdAt) },
  { title: 'until', cell: ({ revokedAt, expiresAt }) => endOf(revokedAt, expiresAt) },
]

async function listKeys(context: Context): Promise<Ended> {
  const { output } = context
  const keys = (await keyring(context)).all()
  if (output.wantsData) {
    await output.data(keys)
    return undefined
  }
  const rows: KeyInfo[] = []
  for await (const key of keys) rows.push(key)
  if (rows.length === 0) await output.aside('No key yet: holdfast keys create --name me')
  else await output.lines(tableLines(columns, rows, { style: output.style, width: output.width }))
  return undefined
}

function boundsOf({ userId, sessionIds = [] }: KeyInfo): string {
  return [...(userId === undefined ? [] : [userId]), ...sessionIds].map(plainLine).join(',')
}

function endOf(revokedAt: string | undefined, expiresAt: string | undefined): string {
  if (revokedAt !== undefined) return `revoked ${moment(revokedAt)}`
  return expiresAt === undefined ? '' : moment(expiresAt)
}

async function revokeKey(context: Context, id: string | undefined): Promise<Ended> {
  const { output } = context
  if (id === undefined) throw new HoldfastError('invalid_input', 'revoke: name the key by its id.')
  const ring = await keyring(context)
  const revoked = await ring.revoke(await resolveKeyId(ring, id))
  if (output.wantsData) await output.one(revoked)
  else await output.aside(`${plainLine(revoked.name)} lets nobody in from now on.`)
  return undefined
}
