/**
 * The wire shapes as JSON Schema 2020-12, one per file of `schemas/`. Shapes that a caller gives are exported as they
 * may be given (defaults not filled in), shapes that are only read as they are read. Rules that tie fields together
 * (a goal exactly for autonomous sessions, cached tokens within prompt tokens) have no form here; the zod schemas hold them.
 */

import { z } from 'zod'
import { tokenBudget } from './context.ts'
import { envelope, eventSchemas, eventTypes } from './events/index.ts'
import { message, messageInput } from './message.ts'
import { modelContext } from './model-context.ts'
import { problem } from './problem.ts'
import { question } from './question.ts'
import { recordSchemas } from './records.ts'
import { createInput, session } from './session.ts'
import { taskList, taskListInput } from './task.ts'
import { usageRecord } from './usage.ts'

type JsonSchema = Record<string, unknown>

const given = {
  'create-session': createInput,
  'message-input': messageInput,
  question,
  'task-list-input': taskListInput,
  'token-budget': tokenBudget,
  'usage-record': usageRecord,
  ...Object.fromEntries(
    Object.entries(recordSchemas).map(([kind, body]) => [`record-${kind.replaceAll('_', '-')}`, body]),
  ),
} satisfies Record<string, z.ZodType>

const read = {
  session,
  message,
  'model-context': modelContext,
  'task-list': taskList,
  error: problem,
} satisfies Record<string, z.ZodType>

/** File name → content, in the order of the names. */
export function schemaFiles(): Map<string, string> {
  const schemas = [
    ...Object.entries(given).map(([name, schema]) => named(name, convert(schema, 'input'))),
    ...Object.entries(read).map(([name, schema]) => named(name, convert(schema, 'output'))),
    named('event', eventSchema()),
  ]
  const files = schemas.map((schema) => [schema.$id, `${JSON.stringify(schema, null, 2)}\n`] as const)
  return new Map(files.sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** The envelope, and for each type the schema of its `data`; content that was erased fits every type. */
function eventSchema(): JsonSchema {
  const data = eventTypes.map((type) => [type, convert(eventSchemas[type], 'output')])
  return {
    ...convert(envelope, 'output'),
    oneOf: eventTypes.map((type) => ({
      properties: { type: { const: type }, data: { anyOf: [ref(type), ref('erased')] } },
    })),
    $defs: {
      ...Object.fromEntries(data),
      erased: convert(z.strictObject({ erased: z.literal(true) }), 'output'),
    },
  }
}

function ref(definition: string): JsonSchema {
  return { $ref: `#/$defs/${definition}` }
}

function convert(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { target: 'draft-2020-12', io })
  return rest
}

function named(name: string, schema: JsonSchema): JsonSchema & { $id: string } {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: `${name}.schema.json`,
    title: name,
    ...schema,
  }
}
