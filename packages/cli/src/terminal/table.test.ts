import { expect, test } from 'vitest'
import { styleOf } from './style.ts'
import { type Column, tableLines } from './table.ts'
import { widthOf } from './width.ts'

interface Row {
  name: string
  size: string
}

const style = styleOf(false)
const columns: Column<Row>[] = [
  { title: 'name', cell: ({ name }) => name, flexible: true },
  { title: 'note', cell: () => 'a remark', expendable: 1 },
  { title: 'size', cell: ({ size }) => size, align: 'right' },
]
const rows = [
  { name: '寿司を食べる', size: '9' },
  { name: 'a name that is much longer than there is room for', size: '1,000' },
]

test('columns line up whatever the characters are', () => {
  const lines = tableLines(columns, rows, { style })
  expect(new Set(lines.map(widthOf)).size).toBe(1)
  expect(lines[1]).toMatch(/^寿司を食べる {2,}a remark {6}9$/)
})

test('the flexible column takes what is left', () => {
  const lines = tableLines(columns, rows, { style, width: 50 })
  expect(Math.max(...lines.map(widthOf))).toBeLessThanOrEqual(50)
  expect(lines[2]).toContain('…')
  expect(lines[0]).toContain('note')
})

test('where room is short the expendable columns go', () => {
  const lines = tableLines(columns, rows, { style, width: 36 })
  expect(lines[0]).not.toContain('note')
  expect(Math.max(...lines.map(widthOf))).toBeLessThanOrEqual(36)
})

test('a cell is drawn after it was padded', () => {
  const [, line] = tableLines(
    [{ title: 'name', cell: ({ name }: Row) => name, look: (cell: string) => `<${cell}>` }],
    [{ name: 'a', size: '' }],
    { style },
  )
  expect(line).toBe('<a   >')
})
