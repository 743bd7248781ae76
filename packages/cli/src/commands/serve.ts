/** `holdfast serve`: the store over HTTP, until it is told to stop. */
import { hostAgents } from '@holdfast/agent'
import { HoldfastError } from '@holdfast/protocol'
import { faultLog, isLoopback, type LogLevel, requestLog, type Serving, serve } from '@holdfast/server/node'
import { InvalidArgumentError } from 'commander'
import { type AgentsHere, agentsOf } from '../agents/agents-of.ts'
import { defaultAgentId } from '../agents/default-agent-id.ts'
import { preferredAgent } from '../agents/preferred-agent.ts'
import { command, examples } from '../command.ts'
import type { Context } from '../context.ts'
import { storeOf } from '../place/open-store.ts'
import { pepperOf } from '../place/pepper.ts'
import { publishedPrices } from '../place/published-prices.ts'
import { type Settings, shownStore } from '../place/settings.ts'
import { plainLine } from '../terminal/plain.ts'
import { choice, several, wholeNumber } from '../values.ts'

interface Options {
  port: number
  host: string
  origin?: string[]
  log: LogLevel
  requireSyncStandby?: true
}

export const serveCommand = command<Options>({
  define(command) {
    command
      .option('--port <port>', 'where to listen; 0 for any that is free', portNumber, 4780)
      .option('--host <address>', 'others than this machine need keys', '127.0.0.1')
      .option('--require-sync-standby', 'of a Postgres: not without a standby that each write waits for')
      .option('--origin <url>', 'a page that may call from a browser; may be given again', origins)
      .addOption(
        choice('--log <level>', 'what to log to stderr, as lines of JSON', [
          'info',
          'error',
          'silent',
        ]).default('error'),
      )
    examples(command, [
      ['holdfast serve', 'for programs on this machine'],
      ['holdfast keys create --name me', 'a server started from then on asks for keys'],
      ['holdfast serve --host 0.0.0.0 --log info', 'for others, who have keys; each request a line'],
    ])
  },
  async run(context, _args, { port, host, origin, log, requireSyncStandby }) {
    const { output, world } = context
    const settings = await context.storeSettings()
    const pepper = pepperOf(world, settings)
    const here = await agentsOf(world, settings)
    if (pepper === undefined && !isLoopback(host)) throw needsKeys(host)
    const stop = context.interruption()
    const lines = { write: (line: string) => void world.stderr.write(line) }
    const onError = faultLog(log, lines)
    const serving = await listening(port, async () =>
      serve({
        store: await storeOf(settings, {
          create: true,
          writer: 'thread',
          ...(requireSyncStandby && { requireSyncStandby }),
        }),
        port,
        host,
        signals: [],
        prices: publishedPrices,
        agents: (holdfast) => hostAgents(holdfast, { agents: here.agents, onError }),
        onSweepFailed: onError,
        onAnswer: requestLog(log, lines),
        ...(origin && { origins: origin }),
        ...(settings.tenant !== undefined && { tenantId: settings.tenant }),
        ...(pepper !== undefined && { pepper }),
      }),
    )
    await tell(context, serving, settings, here)
    stop.addEventListener('abort', () => void serving.close())
    if (stop.aborted) void serving.close()
    await serving.closed
    await output.aside('Stopped: what was accepted is on disk.')
    return undefined
  },
})

const highestPort = 65_535

function portNumber(text: string): number {
  const port = wholeNumber(text)
  if (port <= highestPort) return port
  throw new InvalidArgumentError(`Expected a port: 0 to ${highestPort}.`)
}

/** As a browser names it; anything else would let nobody in. */
function origins(text: string, before?: string[]): string[] {
  const all = several(text, before)
  const named = originIn(text)
  if (named === text) return all
  const meant = named === undefined ? 'Expected an origin: https://a.example.' : `(Did you mean ${named}?)`
  throw new InvalidArgumentError(`\n${meant}`)
}

function originIn(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined
  const { protocol, host } = new URL(text)
  return host === '' ? undefined : `${protocol}//${host}`
}

function needsKeys(host: string): HoldfastError {
  const message = `${host} can be reached from elsewhere, and without keys everyone would be let in.
  holdfast keys create --name me    makes the first key; then start the server again.`
  return new HoldfastError('invalid_input', message)
}

async function listening(port: number, start: () => Promise<Serving>): Promise<Serving> {
  try {
    return await start()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EADDRINUSE')
      throw new HoldfastError('invalid_input', `port ${port} is taken.\n  --port 0 takes any that is free.`)
    if (code === 'EACCES')
      throw new HoldfastError('invalid_input', `port ${port} may not be listened on by this user.`)
    throw error
  }
}

/** Where it is, what it keeps, who is let in, and what to try. */
async function tell(
  { output }: Context,
  serving: Serving,
  settings: Settings,
  here: AgentsHere,
): Promise<void> {
  const { url, server, holdfast } = serving
  const { engine, engineVersion, durable } = holdfast.info()
  const store = shownStore(settings.store)
  if (output.wantsData) {
    const agents = here.agents.map(({ id }) => id)
    await output.one({
      url,
      store,
      engine,
      durable,
      keys: server.keys !== undefined,
      agents,
      model: here.model,
    })
    return
  }
  const { style } = output
  const promise = durable ? 'an acknowledged write is on disk' : 'not durable'
  const who = server.keys
    ? 'needed: holdfast keys create makes one, holdfast keys list shows those there are'
    : 'none: every program on this machine is let in; holdfast keys create makes one, asked for once it is started again'
  const agentId = preferredAgent(here.agents)
  const tries = [
    curlOf(url, server.keys !== undefined, agentId ?? defaultAgentId),
    ...(agentId === undefined ? [] : [chatOf(url, agentId)]),
  ]
  await output.lines([
    `${style.title('Holdfast')} ${style.accent(url)}`,
    `Store  ${store} ${style.faint(`(${settings.storeFrom}; ${engine} ${engineVersion}, ${promise})`)}`,
    `Keys   ${who}`,
    `Agents ${agentsLine(here)}`,
    ...tries.map((line, i) => `${i === 0 ? 'Try   ' : '      '} ${style.accent(line)}`),
    style.faint('Ctrl-C stops it.'),
  ])
}

function agentsLine({ agents, model, from }: AgentsHere): string {
  const ids = agents.map(({ id }) => plainLine(id)).join(', ') || 'none'
  return model === '' ? `${ids} (${plainLine(from)})` : `${ids}: ${plainLine(model)} (${plainLine(from)})`
}

function chatOf(url: string, agentId: string): string {
  const agent = agentId === defaultAgentId ? '' : ` --agent ${agentId}`
  return `npx holdfast chat --server ${url}${agent}`
}

function curlOf(url: string, withKey: boolean, agentId: string): string {
  const key = withKey ? ` -H "authorization: Bearer $HOLDFAST_KEY"` : ''
  return `curl -s ${url}/v1/sessions${key} -H 'content-type: application/json' -d '{"agentId":"${agentId}"}'`
}
