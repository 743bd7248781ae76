import type { Mutant } from './mutant.ts'
import { commitMutants } from './of-commits.ts'
import { readMutants } from './of-reads.ts'
import { otherMutants } from './of-the-rest.ts'

export const mutants: readonly Mutant[] = [...commitMutants, ...readMutants, ...otherMutants]
