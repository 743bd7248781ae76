const words =
  'the order left the warehouse on Monday and should reach you by Thursday morning if the weather holds '

/** About 1 KiB of plain English, a little different each time. */
export function text(n: number): string {
  return `${n}: ${words.repeat(11)}`.slice(0, 1024)
}

export function turn(n: number) {
  return [
    { role: 'user' as const, parts: [{ type: 'text' as const, text: text(n) }] },
    { role: 'assistant' as const, parts: [{ type: 'text' as const, text: text(n + 1) }] },
  ]
}
