import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { importFile } from '../import-paths.ts'
import { sessionIdOf } from '../session-id.ts'
import { countClaudeCode } from '../testing/claude-code-count.ts'
import { allMessages, openMemory, pairingFaults, temporaryFolder, transcripts } from '../testing/imported.ts'

const name = '0ccf1a04-1b4c-43b6-8aa5-79e41db43a68'
const source = join(transcripts, 'claude-code', `${name}.jsonl`)

test('a file that grew gives what is new, wherever it was cut', { timeout: 240_000 }, async () => {
  const lines = readFileSync(source, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => `${line}\n`)
  const { promptTokens, completionTokens, messageCount, roundCount } = countClaudeCode(source)
  for (let cut = 0; cut <= lines.length; cut++) {
    const where = `cut after line ${cut}`
    const holdfast = await openMemory()
    const importAll = () => importFile(holdfast, path, { format: 'claude-code' })
    const path = join(temporaryFolder(), `${name}.jsonl`)
    writeFileSync(path, lines.slice(0, cut).join(''))
    await importAll()
    appendFileSync(path, lines.slice(cut).join(''))
    await importAll()
    const session = await holdfast.sessions.open(sessionIdOf('default', 'claude-code', name))
    const { counters } = await session.view()
    const totals = { promptTokens, completionTokens, messageCount, roundCount }
    expect.soft(counters, where).toMatchObject(totals)
    expect.soft(pairingFaults(await allMessages(session)), where).toEqual([])
    expect.soft((await importAll()).events, `${where}, third time`).toBe(0)
  }
})
