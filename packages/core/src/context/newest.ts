import type { ViewItem } from './view.ts'

/** The newest `count` items, oldest first; more where they would begin between a call and its results. */
export function newestItems(items: readonly ViewItem[], count: number): ViewItem[] {
  let start = Math.max(0, items.length - count)
  while (start > 0 && isResult(items[start])) start -= 1
  return items.slice(start)
}

function isResult(item: ViewItem | undefined): boolean {
  return item?.type === 'message' && item.message.role === 'tool'
}
