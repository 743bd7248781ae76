/** Colours and weights, or none of them: the one who draws does not ask which. */
import { styleText } from 'node:util'

const looks = {
  title: ['bold'],
  faint: ['dim'],
  good: ['green'],
  warn: ['yellow'],
  bad: ['red'],
  accent: ['cyan'],
  mark: ['bold', 'yellow'],
} as const

export type Look = keyof typeof looks
export type Style = Readonly<Record<Look, (text: string) => string>>

export function styleOf(isColoured: boolean): Style {
  const entries = Object.entries(looks).map(([look, formats]) => [
    look,
    (text: string) =>
      isColoured && text !== '' ? styleText([...formats], text, { validateStream: false }) : text,
  ])
  return Object.fromEntries(entries) as Style
}

/** https://no-color.org: any text turns colour off. `FORCE_COLOR` turns it on where there is no terminal. */
export function wantsColour(env: Readonly<Record<string, string | undefined>>, isTerminal: boolean): boolean {
  if (env.NO_COLOR) return false
  if (env.FORCE_COLOR !== undefined) return env.FORCE_COLOR !== '0' && env.FORCE_COLOR !== 'false'
  return isTerminal && env.TERM !== 'dumb'
}
