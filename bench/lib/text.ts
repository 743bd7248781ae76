const words =
  'the order left the warehouse on Monday and should reach you by Thursday morning if the weather holds '

/** About 1 KiB of plain English, a little different each time. */
export function text(n: number): string {
  return `${n}: ${words.repeat(11)}`.slice(0, 1024)
}

export function turn(n: number) {
  return [message('user', text(n)), message('assistant', text(n + 1))]
}

/** A turn with as many different words as people use: a few often, most of them rarely. */
export function wordyTurn(n: number) {
  return [message('user', prose(2 * n)), message('assistant', prose(2 * n + 1))]
}

function message<Role extends 'user' | 'assistant'>(role: Role, text: string) {
  return { role, parts: [{ type: 'text' as const, text }] }
}

const vocabulary = 20_000
const syllables = ['ba', 'den', 'fo', 'gri', 'lum', 'ma', 'nes', 'po', 'ra', 'sti', 'tu', 'vel']

/** About 1 KiB, the same for the same `n`. Words of rank r stand in it about 1/r as often as the first. */
function prose(n: number): string {
  let chance = Math.imul(n + 1, 0x9e3779b1)
  const next = () => {
    chance = Math.imul(chance ^ (chance >>> 15), 0x2c1b3c6d) + 0x6d2b79f5
    return (chance >>> 0) / 2 ** 32
  }
  let text = ''
  while (text.length < 1024) text += `${word(Math.floor(vocabulary ** next()))} `
  return text.slice(0, 1024)
}

function word(rank: number): string {
  let left = rank
  let spelled = ''
  do {
    spelled += syllables[left % syllables.length]
    left = Math.floor(left / syllables.length)
  } while (left > 0)
  return spelled
}
