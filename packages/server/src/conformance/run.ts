/** Runs the cases against a server that is known by its address alone. */
import type { HttpCase } from './case.ts'
import { httpCases } from './cases/index.ts'
import { type Target, Trial } from './trial.ts'

export interface HttpResult {
  id: string
  title: string
  status: 'passed' | 'failed' | 'skipped'
  /** Why it was skipped. */
  reason?: string
  error?: unknown
}

export interface HttpReport {
  passed: number
  failed: number
  skipped: number
  results: readonly HttpResult[]
}

export interface HttpRunOptions {
  /** Runs a subset; without it all run. */
  only?: (httpCase: HttpCase) => boolean
  /** How long one request may take; ten seconds unless given. */
  patienceMs?: number
}

/** One after the other. Sessions that the cases make stay, but those they delete; nothing is thrown for a failed case. */
export async function runHttpConformance(target: Target, options: HttpRunOptions = {}): Promise<HttpReport> {
  const results: HttpResult[] = []
  for (const httpCase of httpCases.filter(options.only ?? (() => true)))
    results.push(await runHttpCase(target, httpCase, options))
  const count = (status: HttpResult['status']) => results.filter((result) => result.status === status).length
  return { passed: count('passed'), failed: count('failed'), skipped: count('skipped'), results }
}

export async function runHttpCase(
  target: Target,
  { id, title, needsKey, run }: HttpCase,
  { patienceMs = 10_000 }: HttpRunOptions = {},
): Promise<HttpResult> {
  const trial = new Trial(target, patienceMs)
  if (needsKey && !trial.hasKey) return { id, title, status: 'skipped', reason: 'the server asks for no key' }
  try {
    await run(trial)
    return { id, title, status: 'passed' }
  } catch (error) {
    return { id, title, status: 'failed', error }
  }
}
