import { expect, test } from 'vitest'
import { progressLine } from './progress.ts'
import { styleOf } from './style.ts'
import { widthOf } from './width.ts'

const style = styleOf(false)
const progress = { files: 12, filesTotal: 1_240, bytes: 42, bytesTotal: 100, sessions: 9, messages: 12_300 }

test('the bar tells files, sessions, messages, rate and time left', () => {
  const line = progressLine(progress, { elapsedMs: 10_000, width: 120, style })
  expect(line).toBe(
    '██████████▏░░░░░░░░░░░░░ 42%  12/1,240 files · 9 sessions · 12.3k messages · 1.23k/s · 14 s left',
  )
})

test.each([20, 40, 60, 80, 120])('it fits into %i columns', (width) => {
  expect(widthOf(progressLine(progress, { elapsedMs: 10_000, width, style }))).toBeLessThanOrEqual(width)
})

test('nothing is guessed before there is something to go by', () => {
  const line = progressLine({ ...progress, bytes: 0, messages: 0 }, { elapsedMs: 100, width: 120, style })
  expect(line).not.toContain('left')
  expect(line).not.toContain('/s')
})
