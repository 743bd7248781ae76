/** One row of a SQL store, its values in the order of the statement; what its columns are is known where the statement is. */
// biome-ignore lint/suspicious/noExplicitAny: a row is destructured next to its statement, which states the types
export type Row = any[]
