import { defineConfig } from 'vitest/config'

const tests = ['packages/*/{src,test}/**/*.test.ts', '{tools,bench,prove}/**/*.test.ts']
const slow = '**/*.slow.test.ts'
const never = ['**/node_modules/**', '**/dist/**']

export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 2,
    // Guards against standing still, on a machine that is busy too.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    reporters: ['./tools/reporter.ts'],
    globalSetup: './tools/postgres/global-setup.ts',
    projects: [
      { extends: true, test: { name: 'unit', include: tests, exclude: [...never, slow] } },
      { extends: true, test: { name: 'slow', include: tests.map(onlySlow), exclude: never } },
    ],
  },
})

function onlySlow(glob: string): string {
  return glob.replace('*.test.ts', '*.slow.test.ts')
}
