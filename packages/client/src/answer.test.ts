import { describe, expect, it } from 'vitest'
import { createClient, type HoldfastClient } from './index.ts'

function clientOf(answer: () => Response): HoldfastClient {
  return createClient({ url: 'http://host', fetch: answer, sleep: async () => {} })
}

const reads: readonly [string, (client: HoldfastClient) => Promise<unknown>][] = [
  ['a session', ({ sessions }) => sessions.get('s')],
  ['a list', ({ sessions }) => sessions.list()],
  ['every item of a list', ({ sessions }) => sessions.all().next()],
  ['messages', ({ sessions }) => sessions.messages('s')],
  ['events', ({ sessions }) => sessions.events('s')],
  ['texts of events', ({ sessions }) => sessions.eventTexts('s')],
  ['a tree', ({ sessions }) => sessions.tree('s')],
  ['a comparison', ({ sessions }) => sessions.compare('s', 't')],
  ['a count', ({ sessions }) => sessions.count()],
  ['a search', (client) => client.search('word')],
  ['usage', (client) => client.rollUp()],
  ['keys', (client) => client.keys()],
  ['records', ({ agents }) => agents.list()],
  ['a new session', ({ sessions }) => sessions.create({ agentId: 'a' })],
  ['a fork', ({ sessions }) => sessions.fork('s')],
  ['a pruning', (client) => client.prune({ keepNewest: 1 })],
  ['a deletion', ({ sessions }) => sessions.delete('s')],
]

const html = { headers: { 'content-type': 'text/html; charset=utf-8' } }

describe.each([
  ['a site in HTML', () => new Response('<!doctype html><p>Welcome', html)],
  ['another program', () => Response.json({ hello: 1 })],
  ['no object', () => Response.json(null)],
  ['a page that is none', () => Response.json({ data: 7, next: null })],
])('from %s', (_what, answer) => {
  it.each(reads)('%s is told as no answer of Holdfast', async (_name, read) => {
    await expect(read(clientOf(answer))).rejects.toMatchObject({
      code: 'server_failed',
      message: expect.stringContaining('as a Holdfast server'),
    })
  })

  it('a stream is told as none, once', async () => {
    await expect(clientOf(answer).sessions.follow('s').next()).rejects.toMatchObject({
      code: 'server_failed',
    })
    await expect(clientOf(answer).sessions.export('s')).rejects.toMatchObject({ code: 'server_failed' })
  })
})

it('a problem of another program is told as no answer of ours', async () => {
  const headers = { 'content-type': 'application/problem+json' }
  for (const body of ['{"title":"no"}', 'not JSON']) {
    const client = clientOf(() => new Response(body, { status: 400, headers }))
    await expect(client.health()).rejects.toMatchObject({
      code: 'server_failed',
      message: expect.stringContaining('status 400'),
    })
  }
})

it('an error without a content type is told by its status', async () => {
  const client = clientOf(() => new Response(null, { status: 404 }))
  await expect(client.health()).rejects.toMatchObject({
    code: 'server_failed',
    message: expect.stringContaining('status 404'),
  })
})

it.each(['hf_1\nx', 'hf_ключ', 'hf_\u0000'])(
  'a key that no header may have is refused, and not shown',
  (key) => {
    const made = () => createClient({ url: 'http://host', key })
    expect(made).toThrow(expect.objectContaining({ code: 'invalid_input' }))
    expect(made).not.toThrow(expect.objectContaining({ message: expect.stringContaining(key) }))
  },
)

it('the line end that a file has after its key is no part of it', async () => {
  const keys: (string | null)[] = []
  const fetch = ({ headers }: Request) => {
    keys.push(headers.get('authorization'))
    return Response.json({ id: 's' })
  }
  await createClient({ url: 'http://host', key: 'hf_1\n', fetch }).sessions.get('s')
  expect(keys).toEqual(['Bearer hf_1'])
})
