/** What a session is called that nobody has named: by a summary of it, else by the first words of its user. */
import { shortened } from '../short-title.ts'
import { type Entry, textOf } from './entry.ts'
import type { Outline } from './outline.ts'

/** The first line of what somebody said, or the command that it is. */
export function titleOf(text: string): string | undefined {
  const words = commandIn(text) ?? outsideTags(text)
  const line = words.trim().split('\n', 1)[0]?.trim()
  return line ? shortened(line) : undefined
}

/** The program put what it had made of a session into the file of the one that was begun next. */
export function namesAnother({ raw }: Entry, outline: Outline): boolean {
  const leaf = textOf(raw.leafUuid)
  return leaf !== undefined && !outline.knows(leaf)
}

/** Undefined also for one that the program answers itself: of these it writes the name first. */
function commandIn(text: string): string | undefined {
  const [, name, args = ''] = asked.exec(text) ?? []
  return name && `${name} ${args.trim()}`
}

const asked =
  /^\s*<command-message>[^<]*<\/command-message>\s*<command-name>([^<]*)<\/command-name>(?:\s*<command-args>(.*?)<\/command-args>)?/s

/** What the program puts beside the words of a user stands in tags, which may hold others. */
function outsideTags(text: string): string {
  const tags = /<([\w-]+)(?:\s[^<>]*)?>/g
  let words = ''
  let from = 0
  for (let tag = tags.exec(text); tag; tag = tags.exec(text)) {
    const closing = `</${tag[1]}>`
    const end = text.indexOf(closing, tags.lastIndex)
    if (end < 0) break
    words += `${text.slice(from, tag.index)} `
    from = end + closing.length
    tags.lastIndex = from
  }
  return words + text.slice(from)
}
