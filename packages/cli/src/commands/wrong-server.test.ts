/** A URL that leads to something else: every command says so, and ends. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { exitCodes } from '../exit-codes.ts'
import { run } from '../testing/run.ts'

describe.each([
  ['another program', 'application/json', '{"hello":1}'],
  ['a site', 'text/html', '<!doctype html><p>Welcome'],
])('%s', (_what, type, body) => {
  let server: Server
  let url: string

  beforeAll(async () => {
    server = createServer((_request, response) => response.setHeader('content-type', type).end(body))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })

  afterAll(() => new Promise((resolve) => server.close(resolve)))

  test.each([
    'sessions',
    'sessions --tree',
    'show 3768e8c2',
    'show last',
    'search word',
    'usage',
    'export 3768e8c2',
    'diff 3768e8c2 90cb2d11',
    'fork 3768e8c2',
    'delete 3768e8c2 --yes',
    'prune --keep 3 --yes',
    'keys list',
    'follow 3768e8c2',
  ])('%s', async (line) => {
    const { code, out, err } = await run([...line.split(' '), '--server', url, '--json'])
    expect({ code, out }).toEqual({ code: exitCodes.store.code, out: '' })
    expect(JSON.parse(err).error).toMatchObject({
      code: 'server_failed',
      message: `${url} does not answer as a Holdfast server does.`,
    })
  })

  test('a key that no header may have is not shown', async () => {
    const { code, err } = await run(['sessions', '--server', url], {
      env: { HOLDFAST_KEY: 'hf_\u0001secret' },
    })
    expect(code).toBe(exitCodes.usage.code)
    expect(err).not.toContain('secret')
  })
})
