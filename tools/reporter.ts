/** Vitest's own output, then the reasons for skips and, alone on the very last line, the count. */
import { DefaultReporter, type TestModule, type TestRunEndReason } from 'vitest/node'

type Errors = Parameters<DefaultReporter['onTestRunEnd']>[1]

export default class Reporter extends DefaultReporter {
  override onTestRunEnd(modules: readonly TestModule[], unhandled: Errors, reason: TestRunEndReason): void {
    super.onTestRunEnd(modules, unhandled, reason)
    const tests = modules.flatMap((module) => [...module.children.allTests()])
    const suites = modules.flatMap((module) => [module, ...module.children.allSuites()])
    const count = (state: string) => tests.filter((test) => test.result().state === state).length
    const skipped = tests.filter((test) => test.result().state === 'skipped')
    // Suites that broke outside a test and stray errors are failures too: the count must not look clean.
    const failed = count('failed') + suites.flatMap((suite) => suite.errors()).length + unhandled.length
    const skips = skipped.length > 0 ? `, ${skipped.length} skipped` : ''
    process.once('exit', () => {
      for (const test of skipped) console.log(`skipped: ${test.fullName}${reasonOf(test.result())}`)
      console.log(`${count('passed')} passed, ${failed} failed${skips}`)
    })
    if (failed > 0) process.exitCode = 1
  }
}

function reasonOf(result: object): string {
  return 'note' in result && result.note ? ` (${result.note})` : ''
}
