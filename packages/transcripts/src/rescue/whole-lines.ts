/** The lines of a file, those too long for an import among them: memory holds one of them. */
import { constants } from 'node:buffer'
import { type JsonObject, limits } from '@holdfast/protocol'
import { objectOf } from '../openai-responses/items.ts'
import type { Line } from '../read-lines.ts'
import type { Source } from '../source.ts'

export async function* wholeLines(source: Source): AsyncGenerator<Line> {
  for await (const line of source.lines()) {
    const { value, broken: _broken, text: _text, ...place } = line
    const long = value === undefined && isLong(line) ? await readLong(source, line) : undefined
    yield long ? { ...place, value: long } : line
  }
}

function isLong({ start, end }: Line): boolean {
  return end - start > limits.lineBytes && end - start < constants.MAX_STRING_LENGTH
}

/** Undefined: it is no JSON object. */
async function readLong(source: Source, { start, end }: Line): Promise<JsonObject | undefined> {
  const chunks: Buffer[] = []
  for await (const chunk of source.chunks(start, end)) chunks.push(chunk)
  try {
    return objectOf(JSON.parse(Buffer.concat(chunks).toString('utf8')))
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
