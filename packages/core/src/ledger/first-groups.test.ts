import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FirstGroups, type GroupKey } from './first-groups.ts'

const part = fc.option(fc.constantFrom('', 'a', 'b', 'c', 'B', '10', '9'), { nil: undefined })
const rows = fc.array(fc.tuple(fc.tuple(part, part), fc.nat(9)), { maxLength: 200 })

const add = (a: number, b: number) => a + b

/** All groups in order, the plain way. */
function whole(added: readonly (readonly [GroupKey, number])[]): { key: GroupKey; value: number }[] {
  const groups = new Map<string, { key: GroupKey; value: number }>()
  for (const [key, value] of added) {
    const name = key.map((one) => (one === undefined ? '\u0001' : `\u0002${one}`)).join('\u0000')
    groups.set(name, { key, value: (groups.get(name)?.value ?? 0) + value })
  }
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group)
}

test('the first groups are whole, however many others came, and pages join to all of them', () => {
  fc.assert(
    fc.property(rows, fc.integer({ min: 1, max: 9 }), (added, size) => {
      const expected = whole(added)
      const found: unknown[] = []
      let after: GroupKey | undefined
      do {
        const groups = new FirstGroups<number>(size, after, add)
        for (const [key, value] of added) groups.add(key, value)
        const page = groups.first()
        found.push(...page)
        after = page.at(-1)?.key
      } while (after)
      expect(found).toEqual(expected)
    }),
  )
})

test('what is kept is bounded by the page', () => {
  const groups = new FirstGroups<number>(3, undefined, add)
  for (let n = 1_000; n > 0; n--) groups.add([String(n).padStart(4, '0')], n)
  expect(groups.first().map(({ value }) => value)).toEqual([1, 2, 3])
})
