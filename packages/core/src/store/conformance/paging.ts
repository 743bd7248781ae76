import assert from 'node:assert/strict'

/** No case needs more; a store that repeats itself must not hold the suite up. */
const mostPages = 1_000

/** Joins pages until an empty one. `next` gets the last row so far. */
export async function allPages<Row>(
  next: (last: Row | undefined) => Promise<readonly Row[]>,
): Promise<Row[]> {
  const rows: Row[] = []
  for (let pages = 0; pages < mostPages; pages += 1) {
    const page = await next(rows.at(-1))
    if (page.length === 0) return rows
    rows.push(...page)
  }
  return assert.fail(`after ${mostPages} pages the end is not reached`)
}
