import { z } from 'zod'
import { id } from './ids.ts'
import { objectOnUse, onUse } from './on-use.ts'
import { time } from './time.ts'

export const taskStatus = onUse(() => z.enum(['pending', 'in_progress', 'completed', 'blocked']))
export type TaskStatus = z.infer<typeof taskStatus>

export const taskPhase = onUse(() => z.enum(['planning', 'execution', 'verification', 'handoff']))
export const taskPriority = onUse(() => z.enum(['low', 'medium', 'high', 'critical']))

const text = onUse(() => z.string().max(8_192))
const texts = onUse(() => z.array(text).max(64))

export const taskTransition = objectOnUse(() => ({
  from: taskStatus,
  to: taskStatus,
  at: time,
  reason: text.optional(),
}))

export const criterion = objectOnUse(() => ({ text, met: z.boolean() }))

/** One item of a task list. */
export const task = objectOnUse(() => ({
  id,
  description: text,
  status: taskStatus,
  dependsOn: z.array(id).max(64),
  notes: text,
  activeForm: text.optional(),
  parentId: id.optional(),
  phase: taskPhase,
  priority: taskPriority,
  completionCriteria: z.array(criterion).max(64),
  evidence: texts,
  blockers: texts,
  transitions: z.array(taskTransition).max(64),
}))
export type Task = z.infer<typeof task>

/** What a caller gives for an item; the rest has defaults. */
export const taskInput = objectOnUse(() => ({
  id,
  description: text.min(1),
  status: taskStatus.default('pending'),
  dependsOn: z.array(id).max(64).default([]),
  notes: text.default(''),
  activeForm: text.optional(),
  parentId: id.optional(),
  phase: taskPhase.default('execution'),
  priority: taskPriority.default('medium'),
  completionCriteria: texts.default([]),
  evidence: texts.default([]),
  blockers: texts.default([]),
}))
export type TaskInput = z.infer<typeof taskInput>

export const taskListInput = objectOnUse(() => ({ title: text.default('Tasks'), items: z.array(taskInput) }))

export const taskList = objectOnUse(() => ({
  title: text,
  items: z.array(task),
  /** Seq of the list's last change. */
  version: z.int().min(1),
}))
export type TaskList = z.infer<typeof taskList>

/** A change of one item. `criteriaMet` names criteria by 1-based position (`"2"`) or by normalised text. */
export const taskUpdate = objectOnUse(() => ({
  itemId: id,
  status: taskStatus.optional(),
  notes: text.optional(),
  criteriaMet: z.array(text).max(64).optional(),
  evidence: texts.optional(),
  blockers: texts.optional(),
}))
export type TaskUpdate = z.infer<typeof taskUpdate>
