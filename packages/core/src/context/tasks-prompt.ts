/** The task list as the model reads it. The same list gives the same bytes: the prompt cache depends on it. */
import type { Task, TaskList } from '@holdfast/protocol'

const marks: Record<Task['status'], string> = {
  pending: '[ ]',
  in_progress: '[~]',
  completed: '[x]',
  blocked: '[!]',
}

/** Empty when there is no list. */
export function formatTaskListForPrompt(list: TaskList | undefined): string {
  if (!list) return ''
  const done = list.items.filter((item) => item.status === 'completed').length
  const lines = list.items.flatMap((item) => itemLines(item, '  '.repeat(depthOf(item, list.items))))
  return [`## ${list.title} (${done} of ${list.items.length} completed)`, ...lines].join('\n')
}

function itemLines(item: Task, indent: string): string[] {
  const about = [
    ...(item.priority === 'medium' ? [] : [item.priority]),
    ...(item.phase === 'execution' ? [] : [item.phase]),
    ...(item.dependsOn.length > 0 ? [`after ${item.dependsOn.join(', ')}`] : []),
  ]
  const inner = `${indent}  `
  return [
    `${indent}- ${marks[item.status]} ${item.id}: ${item.description}${about.length > 0 ? ` (${about.join('; ')})` : ''}`,
    ...item.completionCriteria.map(
      ({ text, met }, i) => `${inner}${i + 1}. ${met ? 'met' : 'not met'}: ${text}`,
    ),
    ...item.blockers.map((blocker) => `${inner}blocked by: ${blocker}`),
    ...(item.notes === '' ? [] : [`${inner}notes: ${item.notes.replaceAll('\n', `\n${inner}`)}`]),
  ]
}

/** Steps up to an item without a parent. The list has no cycles; a damaged one still ends. */
function depthOf(item: Task, items: readonly Task[]): number {
  let depth = 0
  let parentId = item.parentId
  while (parentId !== undefined && depth < items.length) {
    depth += 1
    parentId = items.find((other) => other.id === parentId)?.parentId
  }
  return depth
}
