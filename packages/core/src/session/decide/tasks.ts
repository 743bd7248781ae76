/** The task list: set whole, or one item changed. An unfinished item is never refused, it is lowered and says so. */
import {
  checkBytes,
  checkLimit,
  type EventData,
  type Task,
  type TaskInput,
  type TaskList,
  type TaskUpdate,
} from '@holdfast/protocol'
import type { Command } from '../command.ts'
import { type Decide, decided, type Env, nothing, readPart, refuse } from '../deciding.ts'
import type { Head } from '../state.ts'

type Only<T extends Command['type']> = Extract<Command, { type: T }>
type Criterion = Task['completionCriteria'][number]

export const decideSetTasks: Decide<Only<'setTasks'>> = function* (head, { list }) {
  if (list === null) {
    const had = yield* readPart('tasks')
    return had ? decided({ type: 'task.list_set', data: { list: null } }) : nothing
  }
  checkItems(head, list.items)
  const items = list.items.map(newTask)
  checkSize(head, { title: list.title, items })
  return decided({ type: 'task.list_set', data: { list: { title: list.title, items } } })
}

function newTask({ completionCriteria, ...fields }: TaskInput): Task {
  return {
    ...fields,
    completionCriteria: completionCriteria.map((text) => ({ text, met: false })),
    transitions: [],
  }
}

function checkItems(head: Head, items: readonly TaskInput[]): void {
  checkLimit('taskItems', items.length, `task list of session ${head.id}`)
  const byId = new Map(items.map((item) => [item.id, item]))
  if (byId.size < items.length)
    refuse('duplicate_id', `two items of the task list of session ${head.id} share an id`)
  for (const [name, edges] of Object.entries(edgesOf)) {
    for (const item of items) {
      const missing = edges(item).find((id) => !byId.has(id))
      if (missing !== undefined)
        invalid(head, `${name} of item ${item.id} names ${missing}, which is not in the list`)
    }
    const looped = firstInCycle(byId, edges)
    if (looped !== undefined) invalid(head, `${name} of item ${looped} leads back to itself`)
  }
}

const edgesOf = {
  dependsOn: (item: TaskInput): readonly string[] => item.dependsOn,
  parentId: (item: TaskInput): readonly string[] => (item.parentId === undefined ? [] : [item.parentId]),
}

function invalid(head: Head, why: string): never {
  return refuse('invalid_input', `task list of session ${head.id}: ${why}`)
}

/** Takes away, again and again, the items that lead only to items taken away; what stays is in a cycle or leads to one. */
function firstInCycle(
  items: ReadonlyMap<string, TaskInput>,
  edges: (item: TaskInput) => readonly string[],
): string | undefined {
  let left = [...items.values()]
  for (;;) {
    const ids = new Set(left.map((item) => item.id))
    const rest = left.filter((item) => edges(item).some((id) => ids.has(id)))
    if (rest.length === left.length) return left[0]?.id
    left = rest
  }
}

/** Completing an item with unmet criteria succeeds but lowers it to `in_progress`: readers look at the status they get back. */
export const decideUpdateTask: Decide<Only<'updateTask'>> = function* (head, { update }, env) {
  const list = yield* readPart('tasks')
  if (!list) return refuse('no_task_list', `session ${head.id} has no task list`)
  const task = list.items.find((item) => item.id === update.itemId)
  if (!task)
    return refuse('no_such_task', `the task list of session ${head.id} has no item ${update.itemId}`, {
      itemId: update.itemId,
    })
  const updated = changed(task, update, env)
  checkSize(head, {
    ...list,
    items: list.items.map((item) => (item === task ? { ...item, ...fieldsOf(updated) } : item)),
  })
  return decided({ type: 'task.updated', data: updated })
}

function changed(task: Task, update: TaskUpdate, env: Env): EventData<'task.updated'> {
  const { criteria, unknown } = meet(task.completionCriteria, update.criteriaMet ?? [])
  const unmet = criteria.filter((criterion) => !criterion.met)
  const lowered = update.status === 'completed' && unmet.length > 0
  const status = lowered ? 'in_progress' : (update.status ?? task.status)
  const remarks = [
    ...(lowered
      ? [`Kept in progress: ${unmet.length} of ${criteria.length} completion criteria not met.`]
      : []),
    ...(unknown > 0
      ? [`Ignored ${unknown} unknown completion ${unknown === 1 ? 'criterion' : 'criteria'}.`]
      : []),
  ]
  return {
    itemId: task.id,
    status,
    notes: withRemarks(update.notes ?? task.notes, remarks),
    completionCriteria: criteria,
    evidence: update.evidence ?? task.evidence,
    blockers: update.blockers ?? task.blockers,
    ...(status !== task.status && {
      transition: {
        from: task.status,
        to: status,
        at: env.at,
        ...(lowered && { reason: 'completion criteria not met' }),
      },
    }),
  }
}

/** A criterion is named by its 1-based position or by its text, whatever its spaces and capitals. */
function meet(
  criteria: readonly Criterion[],
  names: readonly string[],
): { criteria: Criterion[]; unknown: number } {
  const met = new Set<Criterion>()
  let unknown = 0
  for (const name of names) {
    const named = criteria.filter(
      (criterion, i) => name.trim() === String(i + 1) || normalised(criterion.text) === normalised(name),
    )
    if (named.length === 0) unknown += 1
    for (const criterion of named) met.add(criterion)
  }
  return {
    criteria: criteria.map((criterion) => ({ ...criterion, met: criterion.met || met.has(criterion) })),
    unknown,
  }
}

function normalised(text: string): string {
  return text.trim().replace(/\s+/g, ' ').toLowerCase()
}

const notesKept = 8_192

/** A remark is not written twice in a row; notes that grow too long lose their oldest text. */
function withRemarks(notes: string, remarks: readonly string[]): string {
  const added = remarks.filter((remark) => !notes.endsWith(remark)).join(' ')
  if (added === '') return notes
  const joined = notes === '' ? added : `${notes}\n${added}`
  return joined.length <= notesKept ? joined : joined.slice(-notesKept).replace(/^[\udc00-\udfff]/, '')
}

function fieldsOf({
  itemId: _itemId,
  transition: _transition,
  ...fields
}: EventData<'task.updated'>): Partial<Task> {
  return fields
}

function checkSize(head: Head, list: Omit<TaskList, 'version'>): void {
  checkBytes('taskListBytes', JSON.stringify(list), `task list of session ${head.id}`)
}
