import type { Task } from '@holdfast/protocol'
import { expect, test } from 'vitest'
import { formatTaskListForPrompt } from './tasks-prompt.ts'

const plain = {
  status: 'pending',
  dependsOn: [],
  notes: '',
  phase: 'execution',
  priority: 'medium',
  evidence: [],
  blockers: [],
  transitions: [],
} as const

function task(id: string, fields: Partial<Task> = {}): Task {
  return {
    ...plain,
    dependsOn: [],
    evidence: [],
    blockers: [],
    transitions: [],
    completionCriteria: [],
    id,
    description: `Do ${id}`,
    ...fields,
  }
}

test('no list gives no text', () => expect(formatTaskListForPrompt(undefined)).toBe(''))

test('a list shows state, order, criteria, blockers and notes', () => {
  const items = [
    task('a', { status: 'completed' }),
    task('b', {
      status: 'in_progress',
      priority: 'high',
      completionCriteria: [
        { text: 'Tests pass', met: true },
        { text: 'Docs', met: false },
      ],
    }),
    task('b1', {
      parentId: 'b',
      status: 'blocked',
      blockers: ['review'],
      dependsOn: ['a'],
      notes: 'one\ntwo',
    }),
    task('c', { phase: 'verification' }),
  ]
  expect(formatTaskListForPrompt({ title: 'Plan', items, version: 1 })).toBe(`## Plan (1 of 4 completed)
- [x] a: Do a
- [~] b: Do b (high)
  1. met: Tests pass
  2. not met: Docs
  - [!] b1: Do b1 (after a)
    blocked by: review
    notes: one
    two
- [ ] c: Do c (verification)`)
})

test('a damaged list whose parents form a circle still ends', () => {
  const items = [task('a', { parentId: 'b' }), task('b', { parentId: 'a' })]
  expect(formatTaskListForPrompt({ title: 'Plan', items, version: 1 })).toContain('a: Do a')
})
