/**
 * The model of the default agent: of the provider whose key is in the environment, else of a server on this machine that
 * speaks OpenAI, else a script that says so. `HOLDFAST_MODEL` chooses among them. Each provider's package is loaded only
 * when it is the one.
 */
import { HoldfastError } from '@holdfast/protocol'
import { findLocalServer, type LocalServer, localServers } from './local-servers.ts'
import type { Model } from './model-name.ts'

type Env = Readonly<Record<string, string | undefined>>

export interface FoundModel {
  model: Model
  /** What it comes from, for people. */
  from: string
}

interface Provider {
  name: string
  key: string
  /** Of its models the one that is meant when none is named. */
  usual: string
  load(modelId: string, terms: { apiKey: string; baseURL?: string }): Promise<Model>
}

export const providers: readonly Provider[] = [
  {
    name: 'anthropic',
    key: 'ANTHROPIC_API_KEY',
    usual: 'claude-sonnet-5',
    load: async (modelId, terms) => (await import('@ai-sdk/anthropic')).createAnthropic(terms)(modelId),
  },
  {
    name: 'openai',
    key: 'OPENAI_API_KEY',
    usual: 'gpt-6-sol',
    load: async (modelId, terms) => (await import('@ai-sdk/openai')).createOpenAI(terms)(modelId),
  },
]

/** What the script of @holdfast/agent calls itself. */
const offlineName = 'offline-scripted'

/** Throws `invalid_input` where HOLDFAST_MODEL names what cannot be had. */
export async function findModel(
  env: Env,
  servers: readonly LocalServer[] = localServers,
): Promise<FoundModel> {
  const named = env.HOLDFAST_MODEL || undefined
  if (named === offlineName) return offline('HOLDFAST_MODEL')
  const keyed = providers.filter(({ key }) => env[key])
  const meant = keyed.find(({ name }) => named?.startsWith(`${name}/`))
  if (meant) return ofProvider(meant, env, named?.slice(meant.name.length + 1))
  const isOfOther = providers.some(({ name }) => named?.startsWith(`${name}/`))
  const [first] = keyed
  if (first && !isOfOther) return ofProvider(first, env, named)
  const server = await findLocalServer(servers)
  if (server && (named === undefined || server.models.includes(named))) return ofServer(server, named)
  if (named !== undefined) throw notToBeHad(named, server?.models)
  return offline('there is no key and no server on this machine')
}

async function ofProvider(
  { key, name, usual, load }: Provider,
  env: Env,
  modelId: string | undefined,
): Promise<FoundModel> {
  const baseURL = env[`${name.toUpperCase()}_BASE_URL`]
  const terms = { apiKey: env[key] as string, ...(baseURL && { baseURL }) }
  return { model: await load(modelId ?? usual, terms), from: key }
}

async function ofServer({ name, url, models }: LocalServer & { models: readonly string[] }, named?: string) {
  const { createOpenAICompatible } = await import('@ai-sdk/openai-compatible')
  const provider = createOpenAICompatible({ name, baseURL: `${url}/v1`, includeUsage: true })
  return { model: provider(named ?? (models[0] as string)), from: url }
}

async function offline(from: string): Promise<FoundModel> {
  const { offlineScripted } = await import('@holdfast/agent/testing')
  return { model: offlineScripted(), from }
}

function notToBeHad(named: string, local: readonly string[] | undefined): HoldfastError {
  const [prefix] = named.split('/')
  const provider = providers.find(({ name }) => name === prefix)
  const why = provider
    ? `there is no ${provider.key}`
    : local
      ? `the server on this machine has ${local.slice(0, 10).join(', ')}`
      : 'there is no key of a provider, and no server on this machine'
  return new HoldfastError('invalid_input', `HOLDFAST_MODEL is ${named}, and ${why}.`)
}
