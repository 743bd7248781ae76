import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { type HostileTarget, hostileInputs } from './hostile.ts'
import {
  checkBytes,
  checkOwnKeys,
  createInput,
  decodeCursor,
  HoldfastError,
  jsonObject,
  type LimitName,
  messageInput,
  parseInput,
  question,
  scanText,
  scanValue,
  taskListInput,
  usageRecord,
} from './index.ts'

/** What schemas and scanner alone do with the input of each operation; returns what would be stored. */
const gates: Partial<Record<HostileTarget, (input: unknown) => unknown>> = {
  create(input) {
    const { metadata, ...session } = through(createInput, 'eventBytes', input)
    if (metadata) checkOwnKeys(metadata, 'metadata')
    return { ...session, metadata }
  },
  append: (input) => through(messageInput, 'eventBytes', input),
  append_text: (input) =>
    parseInput(messageInput, scanText(input as string, 'eventBytes', 'message'), 'message'),
  metadata(input) {
    const metadata = through(jsonObject, 'metadataBytes', input)
    checkOwnKeys(metadata, 'metadata')
    return metadata
  },
  rename(input) {
    const title = through(z.string().min(1), 'eventBytes', input)
    checkBytes('titleBytes', title, 'title')
    return title
  },
  usage: (input) => through(usageRecord, 'eventBytes', input),
  tasks: (input) => through(taskListInput, 'taskListBytes', input),
  question: (input) => through(question, 'eventBytes', input),
  read: (input) => decodeCursor(input as string),
  fork: (input) => parseInput(z.int().min(1), input, 'seq'),
}

function through<S extends z.ZodType>(schema: S, limit: LimitName, input: unknown): z.output<S> {
  return parseInput(schema, JSON.parse(scanValue(input, limit, 'input')), 'input')
}

function outcome(target: HostileTarget, input: unknown): unknown {
  try {
    return { stored: gates[target]?.(input) }
  } catch (error) {
    if (error instanceof HoldfastError) return { code: error.code }
    throw error
  }
}

describe('hostile input', () => {
  test('the table has a hundred entries and more, and no two of an operation with one name', () => {
    const names = hostileInputs.map(({ target, name }) => `${target}: ${name}`)
    expect(new Set(names).size).toBe(names.length)
    expect(names.length).toBeGreaterThan(100)
  })

  for (const { name, target, decidedBy, input, expect: expected } of hostileInputs) {
    if (!gates[target]) continue
    if (decidedBy === 'engine') {
      test(`${target}: ${name}: is left to the engine`, () => {
        expect(outcome(target, input())).toHaveProperty('stored')
      })
    } else if ('code' in expected) {
      test(`${target}: ${name}: ${expected.code}`, () => {
        expect(outcome(target, input())).toEqual({ code: expected.code })
      })
    } else {
      test(`${target}: ${name}: accepted, ${expected.accepted}`, () => {
        const given = input()
        const stored = outcome(target, given) as { stored: unknown }
        expect(stored).toHaveProperty('stored')
        if (expected.accepted === 'unchanged') expect(stored.stored).toMatchObject(plain(given) as object)
      })
    }
  }
})

function plain(given: unknown): unknown {
  if (typeof given === 'string') return given.startsWith('{') ? JSON.parse(given) : given
  return JSON.parse(JSON.stringify(given))
}
