import { question } from '@holdfast/protocol'
import { expect, test } from 'vitest'
import { answerOf, questionLines } from './answer-text.ts'

const asked = (of: object) => question.parse({ questionId: 'q', question: 'Which one?', ...of })
const approval = asked({ toolName: 'clock', options: ['approve', 'deny'] })
const drinks = asked({ options: ['Tea', 'Coffee', '12'] })

test.each([
  ['y', 'approve'],
  ['YES', 'approve'],
  ['no', 'deny'],
  ['approve', 'approve'],
  ['1', 'approve'],
  ['only tomorrow', 'only tomorrow'],
])('%s to an approval is %s', (text, answer) => {
  expect(answerOf(approval, text)).toBe(answer)
})

test.each([
  ['2', 'Coffee'],
  ['tea ', 'Tea'],
  ['12', '12'],
  ['7', '7'],
  ['yes', 'yes'],
])('%s to options is %s', (text, answer) => {
  expect(answerOf(drinks, text)).toBe(answer)
})

test('a form is filled in as JSON; what is none is given on, to be refused', () => {
  const form = asked({ form: { type: 'object', properties: { name: {}, size: {} } } })
  expect(questionLines(form)).toEqual(['Which one?', '  a JSON object with name, size'])
  expect(answerOf(form, '{"name":"Ann"}')).toEqual({ name: 'Ann' })
  expect(answerOf(form, 'Ann')).toBe('Ann')
})

test('a question is shown with its options by number, and steers nothing', () => {
  const evil = asked({ question: 'a\u001b[2Jb\nc', options: ['x\ry', 'z'], allowCustom: false })
  expect(questionLines(evil)).toEqual(['a␛[2Jb', 'c', '  1  x y', '  2  z', '  its number'])
  expect(questionLines(drinks).at(-1)).toBe('  its number, or an answer of your own')
  expect(questionLines(approval)).toEqual(['Which one?', '  yes, or no and why not'])
  expect(questionLines(asked({}))).toEqual(['Which one?'])
})
