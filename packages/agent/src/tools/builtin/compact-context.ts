import { z } from 'zod'
import { defineTool } from '../../define/tool.ts'

/** Lets a model have its own context made smaller before its next step. What is left out can still be searched. */
export const compactContext = defineTool({
  name: 'compact_context',
  description:
    'Replaces older messages by a summary before your next step, to make room. Use it between pieces of work.',
  input: z.object({ keep: z.string().optional().describe('What the summary must keep') }),
  idempotent: true,
  execute: ({ keep }, { compact }) => {
    compact(keep)
    return 'The context is compacted before your next step, if there is something that a summary can stand for.'
  },
})
