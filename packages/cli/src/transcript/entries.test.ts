import type { Message } from '@holdfast/protocol'
import { expect, test } from 'vitest'
import { messageEntries } from './entries.ts'

const message = (seq: number, role: Message['role'], part: object): Message => {
  return { id: `m${seq}`, seq, role, at: '2026-01-01T00:00:00.000Z', parts: [part] } as Message
}
const call = (seq: number, callId: string) =>
  message(seq, 'assistant', { type: 'tool_call', callId, name: 'Bash', input: {} })
const result = (seq: number, callId: string, output: string) =>
  message(seq, 'tool', { type: 'tool_result', callId, output, outcome: 'ok' })

test('a result goes to the last call before it with its id, and stands alone where there is none', () => {
  const entries = messageEntries([
    result(1, 'c0', 'of a page before'),
    call(2, 'c0'),
    result(3, 'c0', 'first'),
    call(4, 'c0'),
    result(5, 'c0', 'second'),
    call(6, 'c1'),
  ])
  expect(
    entries.map(({ message: { seq }, results }) => [seq, results.c0?.output ?? results.c1?.output]),
  ).toEqual([
    [1, undefined],
    [2, 'first'],
    [4, 'second'],
    [6, undefined],
  ])
})
