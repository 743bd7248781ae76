import type { Format } from '../contract.ts'
export const holdfastLog: Format = { name: 'holdfast', lookedFor: 'a first line with `holdfast`', detect: ({ records }) => records[0]?.has('holdfast') ?? false, read: async () => {} }
