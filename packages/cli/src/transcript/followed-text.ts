import type { Followed } from '@holdfast/core'

/** An item of a followed log as a line of JSON, for programs. A stream has no end to close a document with. */
export function followedText(item: Followed): string {
  if (item.type !== 'event') return `${JSON.stringify(item)}\n`
  return `{"type":"event","cursor":"${item.cursor}","event":${item.text}}\n`
}
