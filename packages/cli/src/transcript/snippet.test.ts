import { expect, test } from 'vitest'
import { styleOf } from '../terminal/style.ts'
import { widthOf } from '../terminal/width.ts'
import { snippetLine, snippetOf } from './snippet.ts'

const style = styleOf(false)

test('a snippet is cut around the first word that was asked for', () => {
  const text = `${'before '.repeat(100)}the Búsqueda ends here ${'after '.repeat(200)}`
  const snippet = snippetOf(text, 'busqueda')
  expect(snippet.match).toBe('Búsqueda')
  const line = snippetLine(snippet, 60, style)
  expect(line).toMatch(/^…before (before )*the Búsqueda ends here/)
  expect(widthOf(line)).toBeLessThanOrEqual(60)
})

test('only whole words match', () => {
  expect(snippetOf('forkless fork', 'fork').before).toBe('forkless ')
})

test('a text without any of the words is shown from its beginning', () => {
  expect(snippetOf('nothing of it', 'other')).toEqual({ before: '', match: '', after: 'nothing of it' })
})

test('what would steer the terminal is escaped on both sides of the match', () => {
  const line = snippetLine(snippetOf('\u001b[31mred word\u0007 end', 'word'), 60, style)
  expect(line).toBe('␛[31mred word␇ end')
})
