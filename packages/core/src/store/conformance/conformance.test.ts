import { describe, expect, it } from 'vitest'
import { memory } from '../memory/index.ts'
import { clauses, runStoreConformance, storeCases } from './index.ts'
import { mutants } from './mutants/index.ts'
import { mutantFixture } from './mutants/mutant.ts'

const correct = mutantFixture({ clause: 'C1', title: 'does nothing wrong' }, memory)
const numbers = Object.keys(clauses)

describe('the conformance suite', () => {
  it('has a case for every clause', () => {
    const covered = new Set<string>(storeCases.map(({ clause }) => clause))
    expect(numbers.filter((clause) => !covered.has(clause))).toEqual([])
  })

  it('names each case once, after its clause', () => {
    const ids = storeCases.map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
    for (const { id, clause } of storeCases) expect(id).toMatch(new RegExp(`^${clause}\\.\\d+$`))
  })

  it('reports passed and skipped cases, and why they were skipped', async () => {
    const report = await runStoreConformance(correct)
    expect(report.results.filter(({ status }) => status === 'failed')).toEqual([])
    expect(report.passed + report.skipped).toBe(storeCases.length)
    for (const { status, reason } of report.results) {
      if (status === 'skipped') expect(reason).toMatch(/^the fixture has no `/)
    }
  })

  it('reports an error of the fixture, and goes on', async () => {
    const broken = { name: 'broken', open: async () => Promise.reject(new Error('no place to open')) }
    const report = await runStoreConformance(broken, {
      only: ({ clause }) => clause === 'C9' || clause === 'O1',
    })
    expect(report.passed).toBe(0)
    expect(report.results.map(({ error }) => `${error}`)).toContain('Error: no place to open')
    expect(report.failed).toBe(report.results.length)
  })
})

describe('the suite notices a store that', () => {
  it('breaks any one of the clauses', () => {
    const broken = new Set<string>(mutants.map(({ clause }) => clause))
    expect(numbers.filter((clause) => !broken.has(clause))).toEqual([])
  })

  for (const mutant of mutants) {
    it(`${mutant.title} (${mutant.clause})`, async () => {
      const only = ({ clause }: { clause: string }) => clause === mutant.clause
      const report = await runStoreConformance(mutantFixture(mutant, memory), { only, patienceMs: 200 })
      const failures = report.results.filter(({ status }) => status === 'failed')
      expect(failures.length).toBeGreaterThan(0)
      for (const { title, error } of failures) {
        expect((error as Error).name, `${title}: ${error}`).toBe('AssertionError')
      }
    })
  }
})
