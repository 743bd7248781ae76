import type { TaskInput, TaskList, TaskUpdate } from '@holdfast/protocol'
import { describe, expect, test } from 'vitest'
import { task } from '../testing/commands.ts'
import { TestLog } from '../testing/log.ts'
import { outcomeOf } from '../testing/states.ts'

function withTasks(...items: TaskInput[]): TestLog {
  const log = TestLog.create()
  log.do({ type: 'setTasks', list: { title: 'L', items } })
  return log
}

function set(...items: TaskInput[]): string {
  return outcomeOf(TestLog.create(), { type: 'setTasks', list: { title: 'L', items } })
}

function update(log: TestLog, fields: Partial<TaskUpdate>): string {
  return outcomeOf(log, { type: 'updateTask', update: { itemId: 't1', ...fields } })
}

function list(log: TestLog): TaskList {
  const tasks = log.state.parts.tasks
  if (!tasks) throw new Error('no task list')
  return tasks
}

const first = (log: TestLog) => list(log).items[0]

describe('setting the list', () => {
  test('gives every item its criteria, unmet, and the list the seq of its change', () => {
    const log = withTasks(task({ completionCriteria: ['Tests pass'] }))
    expect(first(log)).toMatchObject({
      completionCriteria: [{ text: 'Tests pass', met: false }],
      transitions: [],
    })
    expect(list(log).version).toBe(2)
    update(log, { notes: 'n' })
    expect(list(log).version).toBe(3)
  })

  test('to null clears it; clearing nothing changes nothing', () => {
    const log = withTasks(task())
    const clear = { type: 'setTasks', list: null } as const
    expect([outcomeOf(log, clear), outcomeOf(log, clear)]).toEqual(['task.list_set', 'nothing'])
    expect(update(log, {})).toBe('no_task_list')
  })

  test.each([
    ['two items share an id', 'duplicate_id', [task(), task()]],
    ['an item depends on none of the list', 'invalid_input', [task({ dependsOn: ['t9'] })]],
    ['an item has a parent outside the list', 'invalid_input', [task({ parentId: 't9' })]],
    ['an item depends on itself', 'invalid_input', [task({ dependsOn: ['t1'] })]],
    [
      'items depend on each other in a circle',
      'invalid_input',
      [
        task({ dependsOn: ['t2'] }),
        task({ id: 't2', dependsOn: ['t3'] }),
        task({ id: 't3', dependsOn: ['t1'] }),
      ],
    ],
    [
      "items are each other's parents",
      'invalid_input',
      [task({ parentId: 't2' }), task({ id: 't2', parentId: 't1' })],
    ],
    [
      'there are more items than the limit',
      'limit_exceeded',
      [...Array(201).keys()].map((i) => task({ id: `t${i}` })),
    ],
    [
      'the whole is larger than the limit',
      'limit_exceeded',
      [...Array(40).keys()].map((i) => task({ id: `t${i}`, description: 'x'.repeat(8_000) })),
    ],
  ] as const)('is refused when %s', (_why, code, items) => expect(set(...items)).toBe(code))

  test('takes a list whose items share dependencies without a circle', () => {
    expect(
      set(task({ dependsOn: ['t2', 't3'] }), task({ id: 't2', dependsOn: ['t3'] }), task({ id: 't3' })),
    ).toBe('task.list_set')
  })
})

describe('updating an item', () => {
  const criteria = ['Tests  pass', 'Docs written', '3']

  test('that does not exist is refused', () =>
    expect(update(withTasks(task()), { itemId: 't9' })).toBe('no_such_task'))

  test('changes what is given and keeps the rest', () => {
    const log = withTasks(task({ notes: 'old', evidence: ['e'] }))
    update(log, { status: 'blocked', blockers: ['review'] })
    expect(first(log)).toMatchObject({
      status: 'blocked',
      notes: 'old',
      evidence: ['e'],
      blockers: ['review'],
    })
    update(log, { notes: '', evidence: [] })
    expect(first(log)).toMatchObject({ status: 'blocked', notes: '', evidence: [], blockers: ['review'] })
  })

  test('records each change of status', () => {
    const log = withTasks(task())
    for (const status of ['in_progress', 'in_progress', 'completed'] as const) update(log, { status })
    expect(first(log)?.transitions.map(({ from, to }) => [from, to])).toEqual([
      ['pending', 'in_progress'],
      ['in_progress', 'completed'],
    ])
  })

  test('to completed with unmet criteria succeeds, lowers it and says so', () => {
    const log = withTasks(task({ completionCriteria: criteria, notes: 'n' }))
    expect(update(log, { status: 'completed', criteriaMet: ['2'] })).toBe('task.updated')
    expect(first(log)).toMatchObject({
      status: 'in_progress',
      notes: 'n\nKept in progress: 2 of 3 completion criteria not met.',
    })
    expect(first(log)?.transitions).toMatchObject([
      { from: 'pending', to: 'in_progress', reason: 'completion criteria not met' },
    ])
    update(log, { status: 'completed' })
    expect(first(log)?.notes).toBe('n\nKept in progress: 2 of 3 completion criteria not met.')
  })

  test('names criteria by position or by text, whatever its spaces and capitals', () => {
    const log = withTasks(task({ completionCriteria: criteria }))
    update(log, { criteriaMet: [' TESTS pass '] })
    expect(first(log)?.completionCriteria.map(({ met }) => met)).toEqual([true, false, false])
    update(log, { criteriaMet: ['2'] })
    update(log, { status: 'completed', criteriaMet: ['3'] })
    expect(first(log)?.status).toBe('completed')
  })

  test('with criteria that the item does not have ignores them and notes it', () => {
    const log = withTasks(task({ completionCriteria: criteria }))
    update(log, { criteriaMet: ['4', '0', 'something else', ''] })
    expect(first(log)).toMatchObject({ notes: 'Ignored 4 unknown completion criteria.' })
    expect(first(log)?.completionCriteria.some(({ met }) => met)).toBe(false)
  })

  test('keeps notes within their size by dropping the oldest text', () => {
    const log = withTasks(task({ completionCriteria: ['a'], notes: '😀'.repeat(4_090) }))
    update(log, { status: 'completed' })
    const notes = first(log)?.notes ?? ''
    expect(notes.length).toBeLessThanOrEqual(8_192)
    expect(notes.isWellFormed()).toBe(true)
    expect(notes).toMatch(/not met\.$/)
  })
})
