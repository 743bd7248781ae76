/** Transcripts and tables of every script fit the terminal. */
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { widthOf } from '../terminal/width.ts'
import { filledStore, said, temporaryFolder } from '../testing/place.ts'
import { run } from '../testing/run.ts'

const store = join(temporaryFolder(), 'holdfast.db')
const scripts = [
  'Привет, как дела? ',
  'Καλημέρα κόσμε ',
  'שלום עולם ',
  'مرحبا بالعالم ',
  'สวัสดีชาวโลก',
  '你好世界',
  'こんにちは世界',
]

beforeAll(() =>
  filledStore(store, async ({ sessions }) => {
    for (const text of scripts) {
      const long = text.repeat(40)
      const session = await sessions.create({ agentId: 'agent', title: text.repeat(10) })
      await session.append([said('user', long), said('assistant', `    ${long}`)])
      await session.append({
        role: 'assistant',
        parts: [
          { type: 'text', text: 'so' },
          { type: 'tool_call', callId: 'c1', name: 'ask', input: { path: long } },
        ],
      })
      await session.append({
        role: 'tool',
        parts: [{ type: 'tool_result', callId: 'c1', output: long.slice(0, 60) }],
      })
    }
  }),
)

test.each([60, 100])('in %i columns', async (columns) => {
  const list = await run(['sessions', '--store', store, '--json'])
  const ids: string[] = JSON.parse(list.out).data.map(({ id }: { id: string }) => id)
  expect(ids).toHaveLength(scripts.length)
  const typed = [
    ['sessions'],
    ['search', 'so'],
    ['usage', '--by', 'tree'],
    ...ids.flatMap((id) => [
      ['show', id],
      ['show', id, '--full'],
    ]),
  ]
  for (const args of typed) {
    const { code, out } = await run([...args, '--store', store], { columns })
    expect(code).toBe(0)
    for (const line of out.split('\n'))
      expect({ line, fits: widthOf(line) <= columns }).toEqual({ line, fits: true })
  }
})
