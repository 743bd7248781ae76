import type { Task } from '@holdfast/protocol'
import { loadedPart } from '../state.ts'
import type { Draft, Folders } from './folder.ts'
import { assign } from './session.ts'

type WorkEvent =
  | 'question.asked'
  | 'question.answered'
  | 'question.withdrawn'
  | 'question.expired'
  | 'task.list_set'
  | 'task.updated'

const closeQuestion = {
  parts: ['question'] as const,
  fold: ({ head, parts }: Draft) => {
    assign(head, 'question', undefined)
    parts.question = null
  },
}

export const foldWork: Folders<WorkEvent> = {
  'question.asked': {
    parts: ['question'],
    fold: ({ head, parts }, data, event) => {
      const { questionId, expiresAt } = data
      head.question = { questionId, askedAt: event.at, ...(expiresAt && { expiresAt }) }
      parts.question = data
    },
  },
  'question.answered': closeQuestion,
  'question.withdrawn': closeQuestion,
  'question.expired': closeQuestion,
  'task.list_set': {
    parts: ['tasks'],
    fold: ({ parts }, data, event) => {
      parts.tasks = data.list && { ...data.list, version: event.seq }
    },
  },
  'task.updated': {
    parts: ['tasks'],
    fold: ({ parts }, data, event) => {
      const list = loadedPart(parts, 'tasks')
      if (!list) return
      const { itemId, transition, ...fields } = data
      const change = (task: Task): Task => ({
        ...task,
        ...fields,
        transitions: transition ? [...task.transitions, transition].slice(-64) : task.transitions,
      })
      parts.tasks = {
        ...list,
        version: event.seq,
        items: list.items.map((task) => (task.id === itemId ? change(task) : task)),
      }
    },
  },
}
