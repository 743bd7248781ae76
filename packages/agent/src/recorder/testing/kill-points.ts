/** Where a recorded loop is killed, in the order of the loop. */
export const killPoints = [
  'before the first call',
  'in the first stream',
  'in a tool',
  'between two results',
  'before the second call',
  'in the second stream',
  'after a whole loop',
] as const

export type KillPoint = (typeof killPoints)[number]
