import { casesOf } from '../case.ts'
import type { Trial } from '../trial.ts'

type Event = { seq: number; type: string }

async function wholeLog(t: Trial, id: string, limit: number): Promise<Event[]> {
  const events: Event[] = []
  let after = '0'
  for (;;) {
    const { body } = await t.call('GET', `/v1/sessions/${id}/events?after=${after}&limit=${limit}`)
    events.push(...(body.data as Event[]))
    if (body.next === null) return events
    after = String(body.next)
  }
}

export const logCases = casesOf('log', [
  {
    title: 'the log is gap-free from 1, whatever the size of its pages',
    run: async (t) => {
      const id = await t.session()
      for (let n = 0; n < 8; n++) await t.append(id, `${n}`)
      const whole = await wholeLog(t, id, 1_000)
      t.equal(
        whole.map(({ seq }) => seq),
        Array.from({ length: 10 }, (_, n) => n + 1),
        'seqs',
      )
      for (const limit of [1, 3]) t.equal(await wholeLog(t, id, limit), whole, `pages of ${limit}`)
    },
  },
  {
    title: 'writers at once leave one order, in which each of them is once',
    run: async (t) => {
      const id = await t.session()
      const replies = await Promise.all(Array.from({ length: 20 }, (_, n) => t.append(id, `${n}`)))
      const seqs = replies.map(({ body }) => (body.messages as { seq: number }[])[0]?.seq ?? 0)
      t.equal(
        seqs.toSorted((a, b) => a - b),
        Array.from({ length: 20 }, (_, n) => n + 3),
        'seqs',
      )
    },
  },
  {
    title: 'a stream gives history and then what is written, with the cursor and type of each event',
    run: async (t) => {
      const id = await t.session()
      await t.append(id, 'before')
      const reading = t.frames(id, { after: '0', count: 5 })
      await t.append(id, 'one')
      await t.append(id, 'two')
      const frames = await reading
      t.equal(
        frames.map((frame) => frame.id),
        ['1', '2', '3', '4', '5'],
        'cursors',
      )
      const events = frames.map(({ data = '' }) => JSON.parse(data) as Event)
      t.equal(
        frames.map(({ event }) => event),
        events.map(({ type }) => type),
        'types',
      )
      t.equal(events, await wholeLog(t, id, 1_000), 'events')
    },
  },
  {
    title: 'a stream that is cut at any byte goes on from its last cursor, without gap or repeat',
    run: async (t) => {
      const id = await t.session()
      for (let n = 0; n < 10; n++) await t.append(id, 'x'.repeat(n * 11))
      const seen: string[] = []
      for (let cut = 0; seen.length < 12; cut++) {
        const bytes = 200 + ((cut * 131) % 700)
        const frames = await t.frames(id, { after: seen.at(-1) ?? '0', count: 12 - seen.length, bytes })
        seen.push(...frames.map((frame) => frame.id ?? ''))
      }
      t.equal(
        seen,
        Array.from({ length: 12 }, (_, n) => `${n + 1}`),
        'cursors',
      )
    },
  },
  {
    title: 'a session and those below it are read as one, each log without gap or repeat',
    run: async (t) => {
      const id = await t.session()
      const spawned = await t.call('POST', `/v1/sessions/${id}/children`, { body: { agentId: 'child' } })
      t.equal(spawned.status, 201, 'a child is spawned')
      const child = String(spawned.body.childId)
      for (const one of [child, id, child]) await t.append(one, 'x')
      const seen: [session: string, seq: number][] = []
      for (let after = '0', size = 1; size > 0; ) {
        const path = `/v1/sessions/${id}/events?children=true&limit=2&after=${encodeURIComponent(after)}`
        const { body } = await t.call('GET', path)
        const events = body.data as (Event & { sessionId: string })[]
        for (const { sessionId, seq } of events) seen.push([sessionId, seq])
        after = String(body.next)
        size = events.length
      }
      for (const one of [id, child]) {
        const seqs = seen.filter(([session]) => session === one).map(([, seq]) => seq)
        const whole = await wholeLog(t, one, 1_000)
        t.true(whole.length >= 3, 'the log has what was written')
        t.equal(
          seqs,
          whole.map(({ seq }) => seq),
          'the seqs of a log',
        )
      }
    },
  },
  {
    title: 'a page that waits is answered by the next event',
    run: async (t) => {
      const id = await t.session()
      const waiting = t.call('GET', `/v1/sessions/${id}/events?after=1&wait=10`)
      await t.append(id, 'now')
      t.true(((await waiting).body.data as Event[]).length > 0, 'the page has the event')
    },
  },
  {
    title: 'a cursor that is none, or beyond the end, is refused',
    run: async (t) => {
      const path = `/v1/sessions/${await t.session()}/events`
      t.refused(await t.call('GET', `${path}?after=nonsense`), 'invalid_cursor', 400)
      t.refused(await t.call('GET', `${path}?after=999`), 'invalid_cursor', 400)
      t.refused(await t.call('GET', `${path}?after=999&wait=2`), 'invalid_cursor', 400)
      const headers = { accept: 'text/event-stream', 'last-event-id': '999' }
      t.refused(await t.call('GET', path, { headers }), 'invalid_cursor', 400)
    },
  },
])
