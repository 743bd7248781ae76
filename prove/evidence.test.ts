import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { evidencePage, isProved, type Result } from './lib/evidence.ts'
import { proofs } from './lib/proofs.ts'

const [proof] = proofs
const summary = { seed: 7, counted: { rounds: 1_200 }, faults: { lost: 0 } }
const good = { proof, summary, seconds: 3.4, planted: [{ bug: 'a bug', caught: true }] } as Result

test('every program of prove/ is run by `npm run prove`', () => {
  const files = readdirSync(new URL('.', import.meta.url))
  const programs = files.filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
  expect(proofs.map(({ name }) => `${name}.ts`).sort()).toEqual(
    programs.filter((file) => file !== 'index.ts').sort(),
  )
})

test('every proof has a planted bug', () => {
  for (const { name, planted } of proofs) expect(planted, name).not.toEqual([])
})

test('the page says what was counted, with which seed, and whether the planted bug was caught', () => {
  const page = evidencePage([good], { date: '2026-01-02', versions: { Node: '24.0.0' } })
  expect(page).toContain('2026-01-02, Node 24.0.0.')
  expect(page).toContain('| 1,200 rounds | none | a bug: caught | 7 | 3 |')
})

test('the page names what a proof ran on', () => {
  const on = { ...good, summary: { ...summary, versions: { Postgres: '18.0' } } }
  const page = evidencePage([good, on], { date: '2026-01-02', versions: { Node: '24.0.0' } })
  expect(page).toContain('2026-01-02, Node 24.0.0, Postgres 18.0.')
})

test.each<[string, Partial<Result>, string | undefined]>([
  ['is proved', {}, undefined],
  ['found a fault', { summary: { ...summary, faults: { lost: 2 } } }, '**2 lost**'],
  ['missed its planted bug', { planted: [{ bug: 'a bug', caught: false }] }, '**not caught**'],
  ['broke off', { summary: undefined }, '**it broke off**'],
  ['was skipped', { summary: { ...summary, skipped: 'no compiler' }, planted: [] }, 'skipped: no compiler'],
])('a proof that %s', (what, change, said) => {
  const result = { ...good, ...change }
  expect(isProved(result)).toBe(what === 'is proved' || what === 'was skipped')
  if (said) expect(evidencePage([result], { date: '', versions: {} })).toContain(said)
})
