/** Above every seq, and the most rows that a statement can be asked for. */
export const most = 2 ** 31 - 1
