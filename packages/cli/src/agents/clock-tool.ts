import { defineTool, type Tool } from '@holdfast/agent'

interface ClockInput {
  askFirst?: boolean
  timeZone?: string
}

/** Tells the time. A person allows it first where that was asked for. */
export function clockTool(now: () => number): Tool {
  return defineTool<ClockInput>({
    name: 'clock',
    description: 'Tells the date and the time.',
    input: {
      type: 'object',
      properties: {
        askFirst: {
          type: 'boolean',
          description: 'true when the person wants to be asked before',
        },
        timeZone: { type: 'string', description: 'IANA name, such as Europe/Paris; default UTC' },
      },
      additionalProperties: false,
    },
    approval: ({ askFirst = false }) => askFirst,
    idempotent: true,
    execute: ({ timeZone = 'UTC' }) => timeIn(timeZone, now()),
  })
}

/** In words. Throws for a zone that there is not, which is told to the model. */
function timeIn(timeZone: string, nowMs: number): string {
  return new Intl.DateTimeFormat('en-GB', { dateStyle: 'full', timeStyle: 'long', timeZone }).format(nowMs)
}
