/** How a call ended, as far as its result says for certain. */
import type { Json, JsonObject } from '@holdfast/protocol'
import { objectOf, parsed } from './json.ts'

export function outcomeOf({ status, metadata, output }: JsonObject): 'ok' | 'error' {
  const hasFailed = status === 'failed' || status === 'incomplete'
  const codes = [exitCodeIn(metadata), ...codesIn(output)]
  return hasFailed || codes.some((code) => code !== undefined && code !== 0) ? 'error' : 'ok'
}

function codesIn(output: Json | undefined): (number | undefined)[] {
  if (typeof output === 'string') return [exitCodeIn(metadataIn(output)), exitCodeAtHead(output)]
  return Array.isArray(output) ? output.map((part) => exitCodeIn(objectOf(part)?.outcome)) : []
}

function exitCodeIn(facts: Json | undefined): number | undefined {
  const code = objectOf(facts)?.exit_code
  return typeof code === 'number' ? code : undefined
}

/** Codex has wrapped what a command said and how it ended into one JSON text. */
function metadataIn(output: string): Json | undefined {
  const mayTell = output.startsWith('{') && output.includes('"exit_code"')
  return mayTell ? objectOf(parsed(output))?.metadata : undefined
}

/** Before what a command said Codex says how it went. */
const head = /^(?:Chunk ID: .*\n)?(?:Wall time: .*\n)?(?:Process exited with code|Exit code:) (-?\d+)(?:\n|$)/

function exitCodeAtHead(output: string): number | undefined {
  const code = head.exec(output)?.[1]
  return code === undefined ? undefined : Number(code)
}
