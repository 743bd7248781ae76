/**
 * Hostile input as data, to be sent at every store through the engine and over HTTP. The expectation is the same
 * everywhere: one code and nothing written, or accepted, and then what reads back.
 */

import type { ErrorCode } from './errors.ts'
import { limits } from './limits.ts'

/**
 * What `input()` is given to: a `CreateInput`, a `MessageInput`, a message as JSON text, a metadata object, a title, a
 * session id, a `UsageInput`, a task list input, a `QuestionInput`, a cursor of a session, a cursor of a list, a seq.
 */
export type HostileTarget =
  | 'create'
  | 'append'
  | 'append_text'
  | 'metadata'
  | 'rename'
  | 'get'
  | 'usage'
  | 'tasks'
  | 'question'
  | 'read'
  | 'list'
  | 'fork'

export interface HostileInput {
  name: string
  target: HostileTarget
  /** `engine`: schema and scanner accept it; the answer needs the session's state or a count that the engine checks. */
  decidedBy: 'schema' | 'engine'
  input: () => unknown
  expect: HostileExpectation
}

/** `accepted` says in words what reads back; `unchanged` is deep equality with the input. */
export type HostileExpectation = { code: ErrorCode } | { accepted: string }

type Row = readonly [name: string, input: () => unknown, expect: HostileExpectation]

const invalid = { code: 'invalid_input' } as const
const tooMuch = { code: 'limit_exceeded' } as const
const missing = { code: 'not_found' } as const
const badCursor = { code: 'invalid_cursor' } as const
const unchanged = { accepted: 'unchanged' } as const

/** Ten years and more from any clock that a test may hold. */
const FUTURE = '2099-01-01T00:00:00.000Z'
const PAST = '2001-01-01T00:00:00.000Z'

const session = (fields: object) => ({ agentId: 'agent', ...fields })
const message = (fields: object) => ({ role: 'user', parts: [{ type: 'text', text: 'hello' }], ...fields })
const part = (fields: object) => ({ role: 'user', parts: [fields] })
const text = (value: unknown) => part({ type: 'text', text: value })
const data = (value: unknown) => part({ type: 'data', name: 'thing', data: value })
const dataText = (json: string) => `{"role":"user","parts":[{"type":"data","name":"thing","data":${json}}]}`
const usage = (fields: object) => ({ attemptId: 'attempt', promptTokens: 10, completionTokens: 5, ...fields })
const file = (fields: object) =>
  part({ type: 'file', hash: 'a'.repeat(64), mediaType: 'text/plain', bytes: 1, ...fields })
const task = (fields: object) => ({ items: [{ id: 'task', description: 'do it', ...fields }] })
const question = (fields: object) => ({ questionId: 'question', question: 'Really?', ...fields })
const protoKey = () => JSON.parse('{"__proto__":{"polluted":true}}') as object

const createRows: Row[] = [
  ['a session that is null', () => null, invalid],
  ['a session that is undefined', () => undefined, invalid],
  ['a session that is an array', () => [session({})], invalid],
  ['a session that is a string', () => 'agent', invalid],
  ['a session that is a class instance', () => Object.assign(new (class Session {})(), session({})), invalid],
  ['a session with toJSON', () => session({ toJSON: () => session({}) }), invalid],
  ['a session without an agent', () => ({}), invalid],
  ['a field that does not exist', () => session({ colour: 'red' }), invalid],
  ['a tenant of its own choice', () => session({ tenantId: 'other' }), invalid],
  ['counters', () => session({ messageCount: 5 }), invalid],
  ['a creation time decades ahead', () => session({ createdAt: FUTURE }), invalid],
  ['a creation time decades ago', () => session({ createdAt: PAST }), invalid],
  ['an empty agent id', () => session({ agentId: '' }), invalid],
  ['a blank agent id', () => session({ agentId: ' \u3000' }), invalid],
  ['an agent id with NUL', () => session({ agentId: 'a\u0000b' }), invalid],
  ['an agent id with a line break', () => session({ agentId: 'a\nb' }), invalid],
  ['an agent id of 257 characters', () => session({ agentId: 'a'.repeat(257) }), invalid],
  ['an agent id with a lone surrogate', () => session({ agentId: 'a\ud800' }), invalid],
  ['an agent id with a slash and emoji', () => session({ agentId: 'acme/agent 🤖' }), unchanged],
  ['an empty id', () => session({ id: '' }), invalid],
  ['a blank id', () => session({ id: ' ' }), invalid],
  ['an id that climbs folders', () => session({ id: '../../etc/passwd' }), invalid],
  ['an id of two dots', () => session({ id: '..' }), invalid],
  ['an id with a slash', () => session({ id: 'a/b' }), invalid],
  ['an id with a backslash', () => session({ id: 'a\\b' }), invalid],
  ['an id with a percent escape', () => session({ id: '%2e%2e' }), invalid],
  ['an id with a colon', () => session({ id: 'a:b' }), invalid],
  ['an id with NUL', () => session({ id: 'a\u0000' }), invalid],
  ['an id that ends with a line break', () => session({ id: 'abc\n' }), invalid],
  ['an id with a Cyrillic а', () => session({ id: 'p\u0430ypal' }), invalid],
  ['an id of 129 characters', () => session({ id: 'a'.repeat(129) }), invalid],
  ['an id that is a number', () => session({ id: 7 }), invalid],
  ['an id of 128 characters', () => session({ id: 'a'.repeat(128) }), unchanged],
  ['an id named __proto__', () => session({ id: '__proto__' }), unchanged],
  ['an id named constructor', () => session({ id: 'constructor' }), unchanged],
  ['an id with inner dots', () => session({ id: 'a..b' }), unchanged],
  ['an unknown purpose', () => session({ purpose: 'batch' }), invalid],
  ['a purpose in capitals', () => session({ purpose: 'INTERACTIVE' }), invalid],
  ['an autonomous session without a goal', () => session({ purpose: 'autonomous' }), invalid],
  ['an interactive session with a goal', () => session({ goalText: 'win' }), invalid],
  ['an empty goal', () => session({ purpose: 'autonomous', goalText: '' }), invalid],
  ['a life of 0 seconds', () => session({ ttlSecs: 0 }), invalid],
  ['a negative life', () => session({ ttlSecs: -1 }), invalid],
  ['a life of one and a half seconds', () => session({ ttlSecs: 1.5 }), invalid],
  ['a life given as text', () => session({ ttlSecs: '60' }), invalid],
  ['a life that is not a number', () => session({ ttlSecs: Number.NaN }), invalid],
  ['an infinite life', () => session({ ttlSecs: Number.POSITIVE_INFINITY }), invalid],
  ['a life of 2^53 seconds', () => session({ ttlSecs: 2 ** 53 }), invalid],
  ['a life of null', () => session({ ttlSecs: null }), { accepted: 'never expires' }],
  ['pinned as text', () => session({ pinned: 'true' }), invalid],
  ['metadata that is an array', () => session({ metadata: ['a'] }), invalid],
  ['metadata that is a Date', () => session({ metadata: new Date(0) }), invalid],
  ['metadata with __proto__', () => session({ metadata: protoKey() }), invalid],
  ['metadata with its own constructor key', () => session({ metadata: { constructor: 1 } }), invalid],
  ['a negative budget', () => session({ budget: { spend: { tokens: -1 } } }), invalid],
  ['a trigger above 100 per cent', () => session({ budget: { triggerPercent: 101 } }), invalid],
  ['a budget with an unknown strategy', () => session({ budget: { strategy: { type: 'all' } } }), invalid],
]

const createEngineRows: Row[] = [
  ['a title over its limit', () => session({ title: 'a'.repeat(limits.titleBytes + 1) }), tooMuch],
  [
    'a goal over its limit',
    () => session({ purpose: 'autonomous', goalText: 'a'.repeat(limits.goalBytes + 1) }),
    tooMuch,
  ],
  ['metadata over its limit', () => session({ metadata: { a: 'a'.repeat(limits.metadataBytes) } }), tooMuch],
  ['a life above a hundred years', () => session({ ttlSecs: limits.ttlSecs + 1 }), tooMuch],
]

const appendRows: Row[] = [
  ['a message that is null', () => null, invalid],
  ['a message that is a string', () => 'hello', invalid],
  ['an unknown role', () => message({ role: 'developer' }), invalid],
  ['a role in capitals', () => message({ role: 'User' }), invalid],
  ['no role', () => ({ parts: [{ type: 'text', text: 'a' }] }), invalid],
  ['no parts', () => message({ parts: [] }), invalid],
  ['parts that are a string', () => message({ parts: 'hello' }), invalid],
  ['a part that is null', () => message({ parts: [null] }), invalid],
  ['a hole among the parts', () => message({ parts: new Array(1) }), invalid],
  ['an unknown part type', () => part({ type: 'video', url: 'a' }), invalid],
  ['a part type named __proto__', () => part({ type: '__proto__' }), invalid],
  ['a part without a type', () => part({ text: 'a' }), invalid],
  ['an unknown field in a part', () => part({ type: 'text', text: 'a', html: 'b' }), invalid],
  ['text that is a number', () => text(5), invalid],
  ['text that is null', () => text(null), invalid],
  ['a seq of its own choice', () => message({ seq: 1 }), invalid],
  ['a phase of its own choice', () => message({ phase: 'final_answer' }), invalid],
  ['a time decades ahead', () => message({ at: FUTURE }), invalid],
  ['a time decades ago', () => message({ at: PAST }), invalid],
  ['a message id that is a number in text', () => message({ id: '12' }), invalid],
  ['a message id with a slash', () => message({ id: 'a/b' }), invalid],
  ['a reply to an id of dots', () => message({ replyTo: '..' }), invalid],
  ['a blank author', () => message({ author: '  ' }), invalid],
  ['an unknown finish', () => message({ finish: 'stop' }), invalid],
  ['an evaluation of null', () => message({ evaluationPassed: null }), invalid],
  [
    '257 citations',
    () => message({ citations: Array.from({ length: 257 }, () => ({ source: 'a' })) }),
    invalid,
  ],
  ['a tool call without input', () => part({ type: 'tool_call', callId: 'c', name: 'n' }), invalid],
  [
    'a tool call with an empty call id',
    () => part({ type: 'tool_call', callId: '', name: 'n', input: {} }),
    invalid,
  ],
  [
    'a tool result with an unknown outcome',
    () => part({ type: 'tool_result', callId: 'c', output: 1, outcome: 'success' }),
    invalid,
  ],
  ['a file hash in capitals', () => file({ hash: 'A'.repeat(64) }), invalid],
  ['a file hash that climbs folders', () => file({ hash: '../'.repeat(21) }), invalid],
  ['a file of negative size', () => file({ bytes: -1 }), invalid],

  ['empty text', () => text(''), unchanged],
  ['text of white space', () => text(' \t\r\n '), unchanged],
  ['NUL in text', () => text('a\u0000b'), unchanged],
  ['every control character', () => text(String.fromCharCode(...Array(32).keys(), 127)), unchanged],
  ['text that turns direction', () => text('\u202egnp.exe\u2066\u2069'), unchanged],
  ['text that starts with a byte order mark', () => text('\ufeffhello'), unchanged],
  ['a family emoji', () => text('👨‍👩‍👧‍👦🏳️‍🌈'), unchanged],
  ['decomposed accents', () => text('e\u0301 A\u030a'), unchanged],
  ['noncharacters', () => text('\ufffe\uffff\u{10ffff}'), unchanged],
  ['line separators', () => text('a\u2028b\u2029c\r\nd\re'), unchanged],
  ['a replacement character', () => text('\ufffd'), unchanged],
  ['SQL in text', () => text("'; DROP TABLE events; --"), unchanged],
  ['a parameter marker in text', () => text('$1 ?1 :a @b \\x00 %s'), unchanged],
  ['markup in text', () => text('</script><!--<![CDATA['), unchanged],
  ['server-sent event syntax in text', () => text('\n\nid: 9\nevent: end\ndata: {}\n\n'), unchanged],
  ['text of 1 MiB', () => text('a'.repeat(1024 * 1024)), unchanged],
  ['text over the limit', () => text('a'.repeat(limits.eventBytes)), tooMuch],
  ['text over the limit in bytes, not in characters', () => text('€'.repeat(limits.eventBytes / 2)), tooMuch],
  ['text over the limit once it is escaped', () => text('\u0001'.repeat(limits.eventBytes / 4)), tooMuch],
  ['a lone high surrogate', () => text('a\ud800'), invalid],
  ['a lone low surrogate', () => text('\udc00a'), invalid],
  ['surrogates in the wrong order', () => text('\udc00\ud800'), invalid],
  ['a lone surrogate in a key', () => data({ 'a\ud800': 1 }), invalid],

  ['NaN', () => data(Number.NaN), invalid],
  ['Infinity', () => data([Number.POSITIVE_INFINITY]), invalid],
  ['2^53', () => data(2 ** 53), invalid],
  ['-2^53', () => data(-(2 ** 53)), invalid],
  ['1e300', () => data(1e300), invalid],
  ['the largest safe integer', () => data(Number.MAX_SAFE_INTEGER), unchanged],
  ['the smallest double', () => data(Number.MIN_VALUE), unchanged],
  ['a fraction that has no exact double', () => data(0.1 + 0.2), unchanged],
  ['minus zero', () => data(-0), { accepted: 'reads back as 0' }],
  ['an undefined property', () => data({ a: undefined, b: 1 }), { accepted: 'the property is absent' }],
  ['an undefined item', () => data([undefined]), invalid],
  ['a hole in an array', () => data(Object.assign(new Array(3), { 0: 1, 2: 2 })), invalid],
  ['a bigint', () => data(1n), invalid],
  ['a symbol', () => data(Symbol('a')), invalid],
  ['a function', () => data(() => 1), invalid],
  ['a Date', () => data(new Date(0)), invalid],
  ['a Map', () => data(new Map([['a', 1]])), invalid],
  ['bytes', () => data(new Uint8Array(4)), invalid],
  ['a boxed string', () => data(Object('a')), invalid],
  ['an error', () => data(new Error('a')), invalid],
  ['a promise', () => data(Promise.resolve(1)), invalid],
  ['an object with toJSON', () => data({ toJSON: () => 1 }), invalid],
  ['an array with toJSON', () => data(Object.assign([1], { toJSON: () => 2 })), invalid],
  [
    'a getter that throws',
    () =>
      data({
        get a() {
          throw new Error('no')
        },
      }),
    invalid,
  ],
  ['a key named __proto__', () => data(protoKey()), invalid],
  ['keys named constructor and prototype', () => data({ constructor: 1, prototype: { a: 2 } }), unchanged],
  ['keys named like methods', () => data({ hasOwnProperty: 1, toString: 2, length: -1 }), unchanged],
  ['a key that makes a promise of an object', () => data(JSON.parse('{"then":1}')), unchanged],
  ['an empty key', () => data({ '': 1 }), unchanged],
  ['keys that are numbers', () => data({ '10': 'a', '9': 'b', '-1': 'c' }), unchanged],
  ['a key with NUL, quotes and emoji', () => data({ 'a\u0000"\'🤖': 1 }), unchanged],
  ['an object without a prototype', () => data(Object.assign(Object.create(null), { a: 1 })), unchanged],
  ['61 levels more', () => data(nested(limits.jsonDepth - 3)), unchanged],
  ['one level too many', () => data(nested(limits.jsonDepth - 2)), tooMuch],
  ['a hundred thousand levels', () => data(nested(100_000)), tooMuch],
  ['a cycle', cycle, tooMuch],
  ['a cycle that branches', branchingCycle, tooMuch],
  ['more items than allowed', () => data(new Array(limits.jsonNodes).fill(0)), tooMuch],
  ['an array of a billion holes', () => data(new Array(1_000_000_000)), tooMuch],
  ['an array that doubles 40 times', doubled, tooMuch],
  [
    'one long string shared a thousand times',
    () => data(new Array(1_000).fill('a'.repeat(1_000_000))),
    tooMuch,
  ],
]

const appendEngineRows: Row[] = [
  [
    'more parts than allowed',
    () =>
      message({ parts: Array.from({ length: limits.messageParts + 1 }, () => ({ type: 'text', text: '' })) }),
    tooMuch,
  ],
  [
    'a tool result that nothing asked for',
    () => ({ role: 'tool', parts: [{ type: 'tool_result', callId: 'nobody', output: 1 }] }),
    { code: 'call_not_open' },
  ],
  [
    'more tool calls than may be open',
    () => ({
      role: 'assistant',
      parts: Array.from({ length: limits.openCalls + 1 }, (_, i) => ({
        type: 'tool_call',
        callId: `call-${i}`,
        name: 'n',
        input: {},
      })),
    }),
    tooMuch,
  ],
]

const appendTextRows: Row[] = [
  ['empty text', () => '', invalid],
  ['text of white space', () => ' \n', invalid],
  ['the text null', () => 'null', invalid],
  ['words', () => 'hello', invalid],
  ['a text cut off inside a string', () => '{"role":"us', invalid],
  ['a text cut off inside an escape', () => '{"role":"\\', invalid],
  ['two documents', () => `${dataText('1')}${dataText('2')}`, invalid],
  ['a byte order mark before the text', () => `\ufeff${dataText('1')}`, invalid],
  ['single quotes', () => "{'role':'user'}", invalid],
  ['a comment', () => dataText('1 /* one */'), invalid],
  ['a trailing comma', () => dataText('[1,]'), invalid],
  ['brackets that do not match', () => dataText('[}'), invalid],
  ['NaN as a word', () => dataText('NaN'), invalid],
  ['a hexadecimal number', () => dataText('0x10'), invalid],
  ['a number with a leading zero', () => dataText('01'), invalid],
  ['a raw NUL in a string', () => dataText('"a\u0000b"'), invalid],
  ['a raw NUL between tokens', () => dataText('\u00001'), invalid],
  ['an escaped NUL', () => dataText('"a\\u0000b"'), unchanged],
  ['an escaped emoji', () => dataText('"\\ud83e\\udd16"'), unchanged],
  ['an escaped lone high surrogate', () => dataText('"\\ud800"'), invalid],
  ['an escaped lone low surrogate in a key', () => dataText('{"\\udc00":1}'), invalid],
  ['a raw lone surrogate', () => dataText('"\ud800"'), invalid],
  ['the role twice', () => '{"role":"system","role":"user","parts":[{"type":"text","text":"a"}]}', invalid],
  ['a deep key twice', () => dataText('[{"a":[{"b":1,"c":2,"b":1}]}]'), invalid],
  ['a key twice, once escaped', () => dataText('{"a":1,"\\u0061":2}'), invalid],
  ['the key __proto__', () => dataText('{"__proto__":{"polluted":true}}'), invalid],
  ['the key __proto__, escaped', () => dataText('{"\\u005f_proto__":{}}'), invalid],
  ['the key constructor', () => dataText('{"constructor":{"prototype":1}}'), unchanged],
  ['2^53 + 1', () => dataText('9007199254740993'), invalid],
  ['2^53 + 1 with a fraction of zero', () => dataText('9007199254740993.0'), invalid],
  ['a number of 100,000 digits', () => dataText('9'.repeat(100_000)), invalid],
  ['1e400', () => dataText('1e400'), invalid],
  ['2^53 - 1', () => dataText('9007199254740991'), unchanged],
  ['minus zero', () => dataText('[-0,-0.0]'), { accepted: 'reads back as 0' }],
  ['a number too small for a double', () => dataText('1e-400'), { accepted: 'reads back as 0' }],
  ['a million arrays in each other', () => dataText('['.repeat(1_000_000)), tooMuch],
  ['half a million objects in each other', () => dataText('{"a":'.repeat(500_000)), tooMuch],
  ['more items than allowed', () => dataText(`[0${',0'.repeat(limits.jsonNodes)}]`), tooMuch],
  ['nothing but white space over the limit', () => ' '.repeat(limits.eventBytes + 1), tooMuch],
  ['a million backslashes', () => dataText(`"${'\\'.repeat(1_000_000)}"`), unchanged],
]

const metadataRows: Row[] = [
  ['metadata that is a string', () => 'a', invalid],
  ['metadata that is an array', () => [], invalid],
  ['metadata over its limit', () => ({ a: 'a'.repeat(limits.metadataBytes) }), tooMuch],
  ['metadata over its limit in bytes', () => ({ a: '€'.repeat(limits.metadataBytes / 2) }), tooMuch],
  ['the key __proto__', protoKey, invalid],
  ['the key constructor', () => ({ constructor: { prototype: 1 } }), invalid],
  ['the key prototype', () => ({ prototype: 1 }), invalid],
  ['the key constructor inside a value', () => ({ a: { constructor: 1 } }), unchanged],
  ['an empty key', () => ({ '': 'a' }), unchanged],
  ['a key that looks like a path', () => ({ "a.b[0]->>'c'": 1 }), unchanged],
  ['a lone surrogate in a key', () => ({ '\ud800': 1 }), invalid],
  ['too deep a value', () => ({ a: nested(limits.jsonDepth) }), tooMuch],
]

const renameRows: Row[] = [
  ['an empty title', () => '', invalid],
  ['a title that is a number', () => 5, invalid],
  ['a title over its limit', () => 'a'.repeat(limits.titleBytes + 1), tooMuch],
  ['a title over its limit in bytes', () => '€'.repeat(limits.titleBytes / 2), tooMuch],
  ['a title with a lone surrogate', () => 'a\ud800', invalid],
  ['a title with NUL', () => 'a\u0000b', unchanged],
  ['a title that turns direction', () => '\u202eabc', unchanged],
]

/** An id that nothing can have is answered as one that nothing has. */
const getRows: Row[] = [
  ['an empty id', () => '', missing],
  ['a blank id', () => ' ', missing],
  ['an id of dots', () => '..', missing],
  ['an id that climbs folders', () => '../other', missing],
  ['an id with NUL', () => 'a\u0000', missing],
  ['an id of a million characters', () => 'a'.repeat(1_000_000), missing],
  ['an id with SQL', () => "a' OR '1'='1", missing],
  ['an id that nothing has', () => 'nobody', missing],
  ['the id __proto__ that nothing has', () => '__proto__', missing],
  ['the id constructor that nothing has', () => 'constructor', missing],
]

const usageRows: Row[] = [
  ['negative tokens', () => usage({ promptTokens: -1 }), invalid],
  ['half a token', () => usage({ promptTokens: 0.5 }), invalid],
  ['tokens as text', () => usage({ promptTokens: '10' }), invalid],
  ['tokens that are not a number', () => usage({ promptTokens: Number.NaN }), invalid],
  ['infinite tokens', () => usage({ completionTokens: Number.POSITIVE_INFINITY }), invalid],
  ['2^53 tokens', () => usage({ promptTokens: 2 ** 53 }), invalid],
  ['more reasoning than completion', () => usage({ reasoningTokens: 6 }), invalid],
  ['more cached than prompt', () => usage({ cachedReadTokens: 6, cachedWriteTokens: 5 }), invalid],
  [
    'more kept for an hour than written',
    () => usage({ cachedWriteTokens: 5, cachedWriteHourTokens: 6 }),
    invalid,
  ],
  ['a cost without a source', () => usage({ costMicrocents: 5 }), invalid],
  ['a source without a cost', () => usage({ costSource: 'provider' }), invalid],
  ['a cost in fractions', () => usage({ costMicrocents: 0.1, costSource: 'provider' }), invalid],
  ['a negative cost', () => usage({ costMicrocents: -5, costSource: 'provider' }), invalid],
  ['a blank attempt id', () => usage({ attemptId: ' ' }), invalid],
  ['an unknown status', () => usage({ status: 'OK' }), invalid],
  ['an unknown cost field', () => usage({ cost_cents: 5 }), invalid],
  ['raw usage with an unsafe integer', () => usage({ raw: { total: 2 ** 60 } }), invalid],
  [
    'minus zero tokens',
    () => usage({ promptTokens: -0, completionTokens: 0 }),
    { accepted: 'reads back as 0' },
  ],
]

const taskRows: Row[] = [
  ['a list that is an array', () => [], invalid],
  ['items that are an object', () => ({ items: {} }), invalid],
  ['a version of its own choice', () => ({ items: [], version: 9 }), invalid],
  ['an item id with a slash', () => task({ id: 'a/b' }), invalid],
  ['an unknown status', () => task({ status: 'done' }), invalid],
  ['an empty description', () => task({ description: '' }), invalid],
  ['a description over its limit', () => task({ description: 'a'.repeat(8_193) }), invalid],
  ['a lone surrogate in a note', () => task({ notes: '\udfff' }), invalid],
  ['65 criteria', () => task({ completionCriteria: Array(65).fill('a') }), invalid],
  ['transitions of its own choice', () => task({ transitions: [] }), invalid],
  ['a dependency that climbs folders', () => task({ dependsOn: ['../a'] }), invalid],
]

const taskEngineRows: Row[] = [
  [
    'more items than allowed',
    () => ({
      items: Array.from({ length: limits.taskItems + 1 }, (_, i) => ({ id: `t${i}`, description: 'a' })),
    }),
    tooMuch,
  ],
]

const questionRows: Row[] = [
  ['an empty question', () => question({ question: '' }), invalid],
  ['a question id with a slash', () => question({ questionId: 'a/b' }), invalid],
  ['an empty option', () => question({ options: ['a', ''] }), invalid],
  ['a form that is an array', () => question({ form: [] }), invalid],
  ['an unknown escalation', () => question({ escalation: { onExpiry: 'panic' } }), invalid],
  ['an expiry in words', () => question({ expiresAt: 'tomorrow' }), invalid],
  ['an expiry as a number', () => question({ expiresAt: 1_900_000_000_000 }), invalid],
  ['an expiry before 1970', () => question({ expiresAt: '1969-12-31T23:59:59Z' }), invalid],
  ['an expiry after 9999', () => question({ expiresAt: '+010000-01-01T00:00:00Z' }), invalid],
  ['an expiry on 30 February', () => question({ expiresAt: '2028-02-30T00:00:00Z' }), invalid],
  ['an expiry at 24:00', () => question({ expiresAt: '2028-02-28T24:00:00Z' }), invalid],
  ['an expiry in a leap second', () => question({ expiresAt: '2028-12-31T23:59:60Z' }), invalid],
  ['an expiry with an offset', () => question({ expiresAt: '2028-01-01T00:00:00+02:00' }), invalid],
  ['an expiry without a zone', () => question({ expiresAt: '2028-01-01T00:00:00' }), invalid],
  [
    'an expiry with ten digits of seconds',
    () => question({ expiresAt: '2028-01-01T00:00:00.0123456789Z' }),
    invalid,
  ],
  ['an expiry decades ahead', () => question({ expiresAt: FUTURE }), unchanged],
  ['an expiry with nanoseconds', () => question({ expiresAt: '2038-01-01T00:00:00.123456789Z' }), unchanged],
  ['a question with NUL', () => question({ question: 'a\u0000b' }), unchanged],
  ['a lone surrogate in an option', () => question({ options: ['\ud800'] }), invalid],
]

const questionEngineRows: Row[] = [
  [
    'more options than allowed',
    () => question({ options: Array(limits.questionOptions + 1).fill('a') }),
    tooMuch,
  ],
  ['a question over its limit', () => question({ question: 'a'.repeat(limits.questionBytes + 1) }), tooMuch],
]

const readRows: Row[] = [
  ['an empty cursor', () => '', badCursor],
  ['a negative cursor', () => '-1', badCursor],
  ['a fraction', () => '1.5', badCursor],
  ['an exponent', () => '1e3', badCursor],
  ['a cursor with a space', () => ' 1', badCursor],
  ['a leading zero', () => '01', badCursor],
  ['other digits', () => '\u0661', badCursor],
  ['2^53', () => '9007199254740992', badCursor],
  ['a million digits', () => '1'.repeat(1_000_000), badCursor],
  ['a draft without a chunk', () => '1:draft', badCursor],
  ['a draft that climbs folders', () => '1:../a:2', badCursor],
  ['a chunk in words', () => '1:draft:two', badCursor],
  ['a piece too many', () => '1:draft:2:3', badCursor],
]

const listRows: Row[] = [
  ['an empty list cursor', () => '', badCursor],
  ['a list cursor in words', () => 'not a cursor', badCursor],
  ['a list cursor of an empty object', () => 'e30', badCursor],
  ['a list cursor with SQL', () => "' OR 1=1 --", badCursor],
  ['a list cursor of a million characters', () => 'A'.repeat(1_000_000), badCursor],
]

const forkRows: Row[] = [
  ['a fork at 0', () => 0, invalid],
  ['a fork at -1', () => -1, invalid],
  ['a fork at one and a half', () => 1.5, invalid],
  ['a fork at NaN', () => Number.NaN, invalid],
  ['a fork at 2^53', () => 2 ** 53, invalid],
  ['a fork at a text', () => '1', invalid],
]

const forkEngineRows: Row[] = [['a fork past the end', () => 1_000_000_000, { code: 'not_on_path' }]]

export const hostileInputs: readonly HostileInput[] = [
  ...rows('create', 'schema', createRows),
  ...rows('create', 'engine', createEngineRows),
  ...rows('append', 'schema', appendRows),
  ...rows('append', 'engine', appendEngineRows),
  ...rows('append_text', 'schema', appendTextRows),
  ...rows('metadata', 'schema', metadataRows),
  ...rows('rename', 'schema', renameRows),
  ...rows('get', 'engine', getRows),
  ...rows('usage', 'schema', usageRows),
  ...rows('tasks', 'schema', taskRows),
  ...rows('tasks', 'engine', taskEngineRows),
  ...rows('question', 'schema', questionRows),
  ...rows('question', 'engine', questionEngineRows),
  ...rows('read', 'schema', readRows),
  ...rows('list', 'engine', listRows),
  ...rows('fork', 'schema', forkRows),
  ...rows('fork', 'engine', forkEngineRows),
]

function rows(
  target: HostileTarget,
  decidedBy: HostileInput['decidedBy'],
  list: readonly Row[],
): HostileInput[] {
  return list.map(([name, input, expect]) => ({ name, target, decidedBy, input, expect }))
}

function nested(levels: number): unknown {
  let value: unknown = 'leaf'
  for (let i = 0; i < levels; i++) value = [value]
  return value
}

function cycle(): unknown {
  const value: Record<string, unknown> = {}
  value.self = value
  return data(value)
}

function branchingCycle(): unknown {
  const value: unknown[] = []
  for (let i = 0; i < 100; i++) value.push(value)
  return data(value)
}

function doubled(): unknown {
  let value: unknown[] = ['leaf']
  for (let i = 0; i < 40; i++) value = [value, value]
  return data(value)
}
