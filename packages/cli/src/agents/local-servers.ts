/** Servers on this machine that speak OpenAI: who listens, and which models it has. */

export interface LocalServer {
  /** Of the provider, as ledgers name it. */
  name: string
  url: string
}

export const localServers: readonly LocalServer[] = [
  { name: 'ollama', url: 'http://127.0.0.1:11434' },
  { name: 'lmstudio', url: 'http://127.0.0.1:1234' },
  { name: 'vllm', url: 'http://127.0.0.1:8000' },
]

/** A server on this machine has answered by then. */
const answersWithinMs = 400

/** The first of them that is there and has a model to talk to. All are asked at once. */
export async function findLocalServer(
  servers: readonly LocalServer[],
): Promise<(LocalServer & { models: readonly string[] }) | undefined> {
  const asked = await Promise.all(
    servers.map(async (server) => ({ ...server, models: await modelsOf(server) })),
  )
  return asked.find(({ models }) => models.length > 0)
}

async function modelsOf({ url }: LocalServer): Promise<string[]> {
  try {
    const signal = AbortSignal.timeout(answersWithinMs)
    const answer = await fetch(`${url}/v1/models`, { signal, redirect: 'error' })
    return answer.ok ? talking(await answer.json()) : []
  } catch {
    // Nobody listens there, or it is something else.
    return []
  }
}

/** Models that make embeddings are in the same list. */
function talking(list: unknown): string[] {
  const { data } = (list ?? {}) as { data?: unknown }
  const ids = Array.isArray(data) ? data.map((model: { id?: unknown } | null) => model?.id) : []
  return ids.filter((id): id is string => typeof id === 'string' && !/embed/i.test(id))
}
