import { casesOf } from '../case.ts'

const json = { 'content-type': 'application/json' }

export const refusalCases = casesOf('refusals', [
  {
    title: 'what is not there is told by one body, whatever was asked for',
    run: async (t) => {
      const headers = { 'x-request-id': 'same' }
      const asked = [
        '/v1/sessions/none',
        '/v1/sessions/no%20id',
        '/v1/sessions/none/events',
        '/v1/agents/none',
      ]
      const replies = []
      for (const path of asked) replies.push(await t.call('GET', path, { headers }))
      for (const reply of replies) t.refused(reply, 'not_found', 404)
      t.equal(new Set(replies.map(({ text }) => text)).size, 1, 'bodies')
    },
  },
  {
    title: 'a body that is not JSON, of another type, or too deep is refused',
    run: async (t) => {
      const path = `/v1/sessions/${await t.session()}/messages`
      t.refused(await t.call('POST', path, { raw: '{', headers: json }), 'invalid_input', 400)
      t.refused(
        await t.call('POST', path, { raw: '{"role":1,"role":2}', headers: json }),
        'invalid_input',
        400,
      )
      t.refused(
        await t.call('POST', path, { raw: '{}', headers: { 'content-type': 'text/plain' } }),
        'unsupported_media_type',
        415,
      )
      t.refused(await t.call('POST', path, { raw: '['.repeat(5_000), headers: json }), 'limit_exceeded', 413)
      t.equal(((await t.call('GET', path)).body.data as object[]).length, 0, 'messages')
    },
  },
  {
    title: 'a body that is compressed on its way is refused, for it would be kept so',
    run: async (t) => {
      const path = `/v1/sessions/${await t.session()}`
      const headers = { ...json, 'content-encoding': 'gzip' }
      for (const to of ['messages', 'attachments'])
        t.refused(
          await t.call('POST', `${path}/${to}`, { raw: '{}', headers }),
          'unsupported_media_type',
          415,
        )
    },
  },
  {
    title: 'an unknown path, method or parameter is refused',
    run: async (t) => {
      t.refused(await t.call('GET', '/v1/nowhere'), 'unknown_route', 404)
      t.refused(await t.call('PUT', '/v1/sessions', { body: {} }), 'method_not_allowed', 405)
      t.refused(await t.call('GET', '/v1/sessions?agentID=x'), 'invalid_input', 400)
    },
  },
  {
    title: 'the document is OpenAPI 3.1 and names the paths that are checked here',
    run: async (t) => {
      const { body } = await t.call('GET', '/v1/openapi.json', { withoutKey: true })
      t.true(String(body.openapi).startsWith('3.1'), 'its version')
      const paths = Object.keys(body.paths ?? {})
      for (const path of [
        '/v1/sessions',
        '/v1/sessions/{sessionId}/messages',
        '/v1/sessions/{sessionId}/events',
      ])
        t.true(paths.includes(path), path)
    },
  },
  {
    title: 'health is told without a key',
    run: async (t) =>
      t.equal((await t.call('GET', '/healthz', { withoutKey: true })).status, 200, 'the status'),
  },
  {
    title: 'without a key nothing of a session is told, not even whether it is there',
    needsKey: true,
    run: async (t) => {
      const headers = { 'x-request-id': 'same' }
      const asking = async (id: string) => t.call('GET', `/v1/sessions/${id}`, { withoutKey: true, headers })
      const [real, none] = [await asking(await t.session()), await asking('none')]
      t.refused(real, 'unauthenticated', 401)
      t.equal(real.text, none.text, 'bodies')
    },
  },
])
