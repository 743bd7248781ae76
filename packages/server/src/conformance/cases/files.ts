import { createHash } from 'node:crypto'
import { casesOf } from '../case.ts'
import type { Trial } from '../trial.ts'

const words = 'a file of some lines\n'.repeat(50_000)
const hash = createHash('sha256').update(words).digest('hex')

/** The path of a file that a new session keeps. */
async function kept(t: Trial): Promise<string> {
  const path = `/v1/sessions/${await t.session()}/attachments`
  const sent = { raw: words, headers: { 'content-type': 'text/plain' } }
  const { status, body } = await t.call('POST', path, sent)
  t.equal([status, body.hash, body.bytes], [201, hash, words.length], 'what was kept')
  return `${path}/${hash}`
}

export const fileCases = casesOf('files', [
  {
    title: 'a file is found by the hash of its bytes, whole, and is not sent to who has it',
    run: async (t) => {
      const path = await kept(t)
      const { status, text, headers } = await t.call('GET', path)
      t.equal([status, headers.get('etag')], [200, `"${hash}"`], 'the answer')
      t.true(text === words, 'the bytes are those that were sent')
      const again = await t.call('GET', path, { headers: { 'if-none-match': `"${hash}"` } })
      t.equal([again.status, again.text], [304, ''], 'to who has it')
    },
  },
  {
    title: 'any range of a file can be had, and one beyond its end is refused with its size',
    run: async (t) => {
      const path = await kept(t)
      const ranged = (range: string) => t.call('GET', path, { headers: { range } })
      const last = words.length - 1
      for (const [range, from, through] of [
        ['bytes=0-0', 0, 0],
        ['bytes=600000-', 600_000, last],
        ['bytes=-7', last - 6, last],
      ] as const) {
        const { status, text, headers } = await ranged(range)
        const part = `bytes ${from}-${through}/${words.length}`
        t.equal([status, headers.get('content-range')], [206, part], range)
        t.true(text === words.slice(from, through + 1), `the bytes of ${range}`)
      }
      const beyond = await ranged(`bytes=${words.length}-`)
      t.refused(beyond, 'range_not_satisfiable', 416)
      t.equal(beyond.headers.get('content-range'), `bytes */${words.length}`, 'the size')
    },
  },
  {
    title: 'a session does not find the file of another one',
    run: async (t) => {
      await kept(t)
      t.refused(
        await t.call('GET', `/v1/sessions/${await t.session()}/attachments/${hash}`),
        'not_found',
        404,
      )
    },
  },
])
