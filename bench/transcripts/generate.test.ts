import { globSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { generateTranscripts } from './generate.ts'

const samples = join(import.meta.dirname, '../../packages/transcripts/samples/claude-code')
const ids = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?:msg|toolu|req)_[0-9A-Za-z]{10,}/g

function idsOf(folder: string, paths: readonly string[]): Set<string> {
  return new Set(
    paths.flatMap((path) => [path, ...(readFileSync(join(folder, path), 'utf8').match(ids) ?? [])]),
  )
}

test('as many bytes as were asked for, in copies that share no id and are linked inside as the samples are', () => {
  const target = mkdtempSync(join(tmpdir(), 'holdfast-generate-'))
  onTestFinished(() => rmSync(target, { recursive: true }))
  const originals = globSync('**/*.jsonl', { cwd: samples })
  const { bytes, files } = generateTranscripts(samples, target, 1_000_000)
  const paths = globSync('**/*.jsonl', { cwd: target })
  expect(paths).toHaveLength(files)
  expect(paths.reduce((sum, path) => sum + statSync(join(target, path)).size, 0)).toBe(bytes)
  expect(bytes).toBeGreaterThanOrEqual(1_000_000)

  const copies = files / originals.length
  expect(copies).toBeGreaterThan(2)
  const [ofSamples, ofAll] = [idsOf(samples, originals), idsOf(target, paths)]
  expect(ofAll.size).toBe(ofSamples.size * copies)
  expect([...ofAll].filter((id) => ofSamples.has(id))).toEqual([])
})
