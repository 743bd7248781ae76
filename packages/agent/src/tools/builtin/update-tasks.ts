import { formatTaskListForPrompt } from '@holdfast/core'
import { z } from 'zod'
import { defineTool } from '../../define/tool.ts'

const status = z.enum(['pending', 'in_progress', 'completed', 'blocked'])

/** Lets a model keep the session's task list: the whole list, or changes of items. Gives the list as it stands after. */
export const updateTasks = defineTool({
  name: 'update_tasks',
  description:
    'Keeps the task list. Give `items` to set the whole list, or `updates` to change items of it. An item whose completion criteria are not met stays in progress.',
  input: z.object({
    title: z.string().optional(),
    items: z
      .array(
        z.object({
          id: z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/),
          description: z.string().min(1),
          status: status.optional(),
          completionCriteria: z.array(z.string()).optional(),
        }),
      )
      .max(100)
      .optional(),
    updates: z
      .array(
        z.object({
          itemId: z.string(),
          status: status.optional(),
          notes: z.string().optional(),
          criteriaMet: z.array(z.string()).optional(),
          evidence: z.array(z.string()).optional(),
          blockers: z.array(z.string()).optional(),
        }),
      )
      .max(100)
      .optional(),
  }),
  // Setting the same list, or the same state of an item, again changes nothing that matters.
  idempotent: true,
  execute: async ({ title, items, updates = [] }, { session }) => {
    if (items) await session.setTasks({ items, ...(title !== undefined && { title }) })
    for (const update of updates) await session.updateTask(withoutAbsent(update))
    return formatTaskListForPrompt((await session.view()).taskList)
  },
})

type Update = { itemId: string; [field: string]: unknown }

function withoutAbsent(update: Update): { itemId: string } {
  return Object.fromEntries(Object.entries(update).filter(([, value]) => value !== undefined)) as Update
}
