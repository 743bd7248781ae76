import type { Message, MessagePart } from '@holdfast/protocol'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type ProviderMessage, providerView } from './provider-view.ts'
import { anthropicFaults, openAiFaults } from './validators.ts'
import type { ViewItem } from './view.ts'

let seq = 0
function item(role: Message['role'], ...parts: MessagePart[]): ViewItem {
  seq += 1
  return {
    type: 'message',
    place: seq,
    message: { id: `m${seq}`, seq, role, parts, at: '2026-01-01T00:00:00Z' },
  }
}

const text = (words: string): MessagePart => ({ type: 'text', text: words })
const call = (callId: string): MessagePart => ({ type: 'tool_call', callId, name: 'search', input: {} })
const answer = (callId: string, output = `of ${callId}`): MessagePart => ({
  type: 'tool_result',
  callId,
  output,
  outcome: 'ok',
})
const user = (words = 'u') => item('user', text(words))
const calls = (...callIds: string[]) => item('assistant', ...callIds.map(call))
const result = (callId: string, output?: string) => item('tool', answer(callId, output))
const late = (callId: string): ViewItem => ({
  type: 'late_result',
  place: 0,
  callId,
  data: { output: 'real', outcome: 'ok' },
})
const thought: MessagePart = { type: 'reasoning', text: 'hm' }
const opening = 'user: [The assistant begins the conversation.]'
const summary: ViewItem = { type: 'summary', place: 0, compactionId: 'c', text: 'Before.' }

/** One line per message: role and what its parts are. */
function outline(messages: readonly ProviderMessage[]): string[] {
  return messages.map(({ role, parts }) => `${role}: ${parts.map(partOutline).join(', ')}`)
}

function partOutline(part: MessagePart): string {
  if (part.type === 'tool_call') return `call ${part.callId}`
  if (part.type === 'tool_result') return `${part.callId} = ${part.output}`
  return part.type === 'text' ? part.text : part.type
}

const cases: [string, ViewItem[], string[]][] = [
  ['nothing gives nothing', [], []],
  [
    'a summary comes as a message of the user',
    [summary, user()],
    ['user: Summary of the conversation so far:\n\nBefore.', 'user: u'],
  ],
  [
    'answers follow in call order, not in the order they came',
    [calls('a', 'b'), result('b'), result('a')],
    ['assistant: call a, call b', 'tool: a = of a', 'tool: b = of b'],
  ],
  [
    'an open call is closed',
    [calls('a', 'b'), result('b')],
    ['assistant: call a, call b', 'tool: a = interrupted, outcome unknown', 'tool: b = of b'],
  ],
  [
    'what stood between a call and its result stands after it',
    [calls('a'), user('meanwhile'), result('a')],
    ['assistant: call a', 'tool: a = of a', 'user: meanwhile'],
  ],
  [
    'a second result is a note, not an answer',
    [calls('a'), result('a', 'one'), result('a', 'two')],
    ['assistant: call a', 'tool: a = one', 'user: [Result of tool call a, which is not in view: two]'],
  ],
  [
    'a result without its call is a note',
    [user(), result('a')],
    ['user: u', 'user: [Result of tool call a, which is not in view: of a]'],
  ],
  [
    'a result after the next answer is a note',
    [calls('a'), item('assistant', text('done')), result('a')],
    [
      'assistant: call a',
      'tool: a = interrupted, outcome unknown',
      'assistant: done',
      'user: [Result of tool call a, which is not in view: of a]',
    ],
  ],
  [
    'a call id used again pairs with its own round',
    [calls('a'), result('a', 'one'), calls('a'), result('a', 'two')],
    ['assistant: call a', 'tool: a = one', 'assistant: call a_2', 'tool: a_2 = two'],
  ],
  [
    'a late result is a note where it arrived',
    [calls('a'), result('a', 'interrupted'), late('a')],
    [
      'assistant: call a',
      'tool: a = interrupted',
      'user: [The result of the interrupted tool call a arrived late: {"output":"real","outcome":"ok"}]',
    ],
  ],
  [
    'a late result never parts a call from its result',
    [calls('b'), late('a'), result('b')],
    [
      'assistant: call b',
      'tool: b = of b',
      'user: [The result of the interrupted tool call a arrived late: {"output":"real","outcome":"ok"}]',
    ],
  ],
  [
    'a repeated call id in one message is text',
    [calls('a', 'a'), result('a')],
    ['assistant: call a, [Tool call a was repeated: {}]', 'tool: a = of a'],
  ],
  ['a call that no assistant made is text', [item('user', call('a'))], ['user: [Tool call a (search): {}]']],
  ['a message without parts is left out', [item('assistant'), user()], ['user: u']],
  [
    'blank text is left out, and a message of nothing else',
    [user(' \n'), user(), item('assistant', text(''), call('a')), result('a'), item('assistant', text(''))],
    ['user: u', 'assistant: call a', 'tool: a = of a'],
  ],
  [
    'reasoning that led to nothing is left out',
    [user(), item('assistant', thought), item('assistant', thought, text('so'), thought)],
    ['user: u', 'assistant: reasoning, so'],
  ],
  [
    'a conversation that the assistant begins is opened by a note of the user',
    [item('system', text('s')), item('assistant', text('Hello!')), user()],
    ['system: s', opening, 'assistant: Hello!', 'user: u'],
  ],
  [
    'a call id that a later round repeats is sent under a new one',
    [user(), calls('a'), result('a', 'one'), calls('a', 'a_2'), result('a_2', 'three'), result('a', 'two')],
    [
      'user: u',
      'assistant: call a',
      'tool: a = one',
      'assistant: call a_3, call a_2',
      'tool: a_3 = two',
      'tool: a_2 = three',
    ],
  ],
]

const partial: ViewItem = {
  type: 'message',
  place: 0,
  message: {
    id: 'partial',
    seq: 1,
    role: 'assistant',
    parts: [text('So')],
    at: '2026-01-01T00:00:00Z',
    finish: 'interrupted',
  },
}

describe('the provider view', () => {
  test('says of an answer that was cut off, and went on, that it was', () => {
    const cut = 'user: [The answer was interrupted here. Go on from where it stopped.]'
    expect(outline(providerView([user(), partial]))).toEqual(['user: u', 'assistant: So', cut])
    expect(outline(providerView([user(), partial, item('assistant', text('it is'))]))).toEqual([
      'user: u',
      'assistant: So',
      cut,
      'assistant: it is',
    ])
    expect(outline(providerView([user(), partial, user('Well?')]))).toEqual([
      'user: u',
      'assistant: So',
      'user: Well?',
    ])
  })

  test.each(cases)('%s', (_what, items, expected) => {
    const sent = providerView(items)
    expect(outline(sent)).toEqual(expected[0]?.startsWith('assistant') ? [opening, ...expected] : expected)
    expect([...anthropicFaults(sent), ...openAiFaults(sent)]).toEqual([])
  })

  test('an erased message keeps its place', () => {
    const erased = user()
    if (erased.type === 'message') erased.message = { ...erased.message, parts: [], erased: true }
    expect(outline(providerView([erased]))).toEqual(['user: [erased]'])
  })

  test('reasoning, its signature and the data of the provider pass byte for byte', () => {
    const reasoning: MessagePart = {
      type: 'reasoning',
      text: 'hm',
      signature: 'sig==',
      provider: { id: 'rs_1' },
    }
    const sent = providerView([user(), item('assistant', reasoning, call('a'))])
    expect(sent[1]?.parts).toEqual([reasoning, call('a')])
  })

  test('is valid for any items in any order, names each stored message once, and gives the same bytes again', () => {
    const ids = fc.constantFrom('a', 'b', 'c')
    const any = fc.oneof(
      fc.constant('u').map(() => user()),
      fc.array(ids, { maxLength: 3 }).map((list) => calls(...list)),
      ids.map((id) => result(id)),
      ids.map((id) => late(id)),
      ids.map((id) => item('user', call(id), answer(id))),
      ids.map((id) => item('assistant', answer(id))),
      fc.constantFrom(thought, text(' ')).map((part) => item('assistant', part)),
      fc.constant(summary),
    )
    fc.assert(
      fc.property(fc.array(any, { maxLength: 14 }), (items) => {
        const sent = providerView(items)
        expect([...anthropicFaults(sent), ...openAiFaults(sent)]).toEqual([])
        const named = sent.flatMap((message) => message.messageId ?? [])
        expect(new Set(named).size).toBe(named.length)
        expect(JSON.stringify(providerView(items))).toBe(JSON.stringify(sent))
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('the validators', () => {
  const sentAs = (role: Message['role'], ...parts: MessagePart[]): ProviderMessage => ({ role, parts })

  test.each([
    ['a call without a result', [sentAs('assistant', call('a')), sentAs('user', text('u'))]],
    ['a call at the end', [sentAs('assistant', call('a'))]],
    ['a call followed by the assistant', [sentAs('assistant', call('a')), sentAs('assistant', text('x'))]],
    ['a result without a call', [sentAs('user', text('u')), sentAs('tool', answer('a'))]],
    [
      'two results of one call',
      [sentAs('assistant', call('a')), sentAs('tool', answer('a')), sentAs('tool', answer('a'))],
    ],
    [
      'a result that comes too late',
      [sentAs('assistant', call('a')), sentAs('user', text('u')), sentAs('tool', answer('a'))],
    ],
    ['an empty message', [sentAs('user')]],
  ] as const)('find %s', (_what, messages) => {
    expect(anthropicFaults([sentAs('user', text('u')), ...messages])).not.toEqual([])
    expect(openAiFaults(messages)).not.toEqual([])
  })

  const round = [sentAs('assistant', call('a')), sentAs('tool', answer('a'))]

  test.each([
    ['the assistant first', round],
    ['a call id twice', [sentAs('user', text('u')), ...round, ...round]],
    ['blank text', [sentAs('user', text(' '))]],
    ['reasoning that led to nothing', [sentAs('user', text('u')), sentAs('assistant', thought)]],
  ] as const)('find, of those that only one of them minds, %s', (_what, messages) => {
    expect(anthropicFaults(messages)).not.toEqual([])
  })
})
