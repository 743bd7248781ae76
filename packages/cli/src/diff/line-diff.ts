/** Two texts line by line. */

export interface DiffLine {
  side: 'both' | 'ours' | 'theirs'
  text: string
}

/** Cells of the table of common lines; beyond it what differs is shown as two blocks. */
const mostCells = 4_000_000

export function diffLines(ours: readonly string[], theirs: readonly string[]): DiffLine[] {
  const start = commonStart(ours, theirs)
  const end = commonStart(ours.slice(start).reverse(), theirs.slice(start).reverse())
  const side = (name: DiffLine['side'], lines: readonly string[]) =>
    lines.map((text) => ({ side: name, text }))
  const a = ours.slice(start, ours.length - end)
  const b = theirs.slice(start, theirs.length - end)
  const middle = a.length * b.length > mostCells ? [...side('ours', a), ...side('theirs', b)] : aligned(a, b)
  return [...side('both', ours.slice(0, start)), ...middle, ...side('both', ours.slice(ours.length - end))]
}

function commonStart(a: readonly string[], b: readonly string[]): number {
  let common = 0
  while (common < a.length && common < b.length && a[common] === b[common]) common += 1
  return common
}

/** By a longest common subsequence. */
function aligned(a: readonly string[], b: readonly string[]): DiffLine[] {
  const width = b.length + 1
  const lengths = new Uint32Array((a.length + 1) * width)
  const at = (i: number, j: number) => lengths[i * width + j] as number
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      lengths[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
    }
  }
  const lines: DiffLine[] = []
  let [i, j] = [0, 0]
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push({ side: 'both', text: a[i] as string })
      i += 1
      j += 1
    } else if (i < a.length && (j === b.length || at(i + 1, j) >= at(i, j + 1))) {
      lines.push({ side: 'ours', text: a[i] as string })
      i += 1
    } else {
      lines.push({ side: 'theirs', text: b[j] as string })
      j += 1
    }
  }
  return lines
}
