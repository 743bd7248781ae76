import { casesOf } from '../case.ts'

export const sessionCases = casesOf('sessions', [
  {
    title: 'a session that is made is read back as it was answered',
    run: async (t) => {
      const made = await t.call('POST', '/v1/sessions', {
        body: { agentId: 'conformance', ownerUserId: 'u-1' },
      })
      t.equal(
        [made.status, made.body.agentId, made.body.ownerUserId],
        [201, 'conformance', 'u-1'],
        'the answer',
      )
      const read = await t.call('GET', `/v1/sessions/${made.body.id}`)
      t.equal([read.status, read.text], [200, made.text], 'the session')
      t.equal(read.headers.get('etag'), `"${made.body.version}"`, 'its ETag')
    },
  },
  {
    title: 'a list gives every session once, page by page, and ends with null',
    run: async (t) => {
      const agentId = `agent-${await t.session()}`
      const ids = []
      for (let n = 0; n < 5; n++) ids.push(await t.session({ agentId }))
      const seen: string[] = []
      let after = ''
      do {
        const { body } = await t.call('GET', `/v1/sessions?agentId=${agentId}&limit=2${after}`)
        for (const { id } of body.data as { id: string }[]) seen.push(id)
        after = body.next === null ? '' : `&after=${encodeURIComponent(String(body.next))}`
      } while (after !== '')
      t.equal(seen.toSorted(), ids.toSorted(), 'the ids')
    },
  },
  {
    title: 'a chosen id is taken once, and again by the same input',
    run: async (t) => {
      const id = `chosen-${await t.session()}`
      const body = { agentId: 'conformance', id }
      const first = await t.call('POST', '/v1/sessions', { body })
      const again = await t.call('POST', '/v1/sessions', { body })
      t.equal([again.status, again.text], [201, first.text], 'the same input')
      t.equal(again.headers.get('idempotency-replayed'), 'true', 'the mark of a replay')
      t.refused(
        await t.call('POST', '/v1/sessions', { body: { ...body, title: 'another' } }),
        'id_taken',
        409,
      )
    },
  },
  {
    title: 'a write with a version that was passed is refused and changes nothing',
    run: async (t) => {
      const path = `/v1/sessions/${await t.session()}`
      const tag = (await t.call('GET', path)).headers.get('etag') ?? ''
      const rename = (title: string) =>
        t.call('PATCH', path, { body: { title }, headers: { 'if-match': tag } })
      t.equal((await rename('one')).status, 200, 'the first')
      t.refused(await rename('two'), 'version_conflict', 412)
      t.equal((await t.call('GET', path)).body.title, 'one', 'the title')
    },
  },
  {
    title: 'a closed session is read and forked, and takes no message',
    run: async (t) => {
      const id = await t.session()
      await t.append(id, 'hello')
      t.equal((await t.call('POST', `/v1/sessions/${id}/close`)).status, 200, 'closing')
      t.refused(await t.append(id, 'late'), 'session_closed', 409)
      const fork = await t.call('POST', `/v1/sessions/${id}/fork`)
      t.equal([fork.status, (fork.body.forkedFrom as { sessionId: string }).sessionId], [201, id], 'the fork')
      t.equal((await t.append(String(fork.body.id), 'on')).status, 201, 'a message in the fork')
    },
  },
  {
    title: 'a deletion that comes again with its key is answered as before, and the key stands for no other',
    run: async (t) => {
      const path = `/v1/sessions/${await t.session()}`
      const headers = { 'idempotency-key': 'deleting-it' }
      const first = await t.call('DELETE', path, { headers })
      const again = await t.call('DELETE', path, { headers })
      t.equal([again.status, again.text], [200, first.text], 'the same answer')
      t.equal(again.headers.get('idempotency-replayed'), 'true', 'the mark of a replay')
      t.refused(await t.call('DELETE', `${path}?force=true`, { headers }), 'key_conflict', 422)
    },
  },
  {
    title: 'a session that is deleted is gone, and its id is not given again',
    run: async (t) => {
      const id = await t.session()
      t.equal((await t.call('DELETE', `/v1/sessions/${id}`)).status, 200, 'deleting')
      t.refused(await t.call('GET', `/v1/sessions/${id}`), 'not_found', 404)
      t.refused(
        await t.call('POST', '/v1/sessions', { body: { agentId: 'conformance', id } }),
        'id_taken',
        409,
      )
    },
  },
])
