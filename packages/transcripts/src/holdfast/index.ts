/**
 * Holdfast's own: JSONL that holds a session as it is. The first line is `{"holdfast":1,"sessionId":…,"tenantId":…}`; then
 * come the events in order, each line `{"event":…}` with the event's own bytes; before the event that first names a file
 * stands `{"file":"<sha-256>","base64":…}`. A higher number in `holdfast` is another version, which is not guessed at.
 */
import type { Format } from '../contract.ts'
import { readHoldfast } from './read.ts'
import { writeHoldfast } from './write.ts'

export const holdfastLog: Format = {
  name: 'holdfast',
  lookedFor: '`holdfast` in the first line',
  detect: ({ records }) => records.first?.has('holdfast') ?? false,
  read: readHoldfast,
  write: writeHoldfast,
}
