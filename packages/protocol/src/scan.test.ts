import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  checkOwnKeys,
  type ErrorCode,
  HoldfastError,
  type Json,
  limits,
  scanCopy,
  scanText,
  scanValue,
  utf8Bytes,
} from './index.ts'

const value = (input: unknown) => scanValue(input, 'eventBytes', 'message')
const text = (input: string) => scanText(input, 'eventBytes', 'message')

function failure(act: () => unknown): HoldfastError {
  try {
    act()
  } catch (error) {
    if (error instanceof HoldfastError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

/** Neither, of what is refused. */
function copyOrText(input: unknown): { copy?: unknown; text?: string } {
  try {
    return scanCopy(input, 'eventBytes', 'message')
  } catch (error) {
    if (error instanceof HoldfastError) return {}
    throw error
  }
}

function expectCode(act: () => unknown, code: ErrorCode): void {
  expect(failure(act).code).toBe(code)
}

const number = fc.oneof(
  fc.maxSafeInteger(),
  fc
    .double({ noNaN: true, noDefaultInfinity: true })
    .filter((n) => !Number.isInteger(n) || Number.isSafeInteger(n)),
)
const string = fc.string({ unit: 'binary' })
const key = string.filter((name) => name !== '__proto__')

/** Values that may be stored; −0 left out because it becomes 0. */
const safeJson = fc.letrec<{ any: Json }>((tie) => ({
  any: fc.oneof(
    { depthSize: 'small' },
    string,
    number.map((n) => (n === 0 ? 0 : n)),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('any')),
    fc.dictionary(key, tie('any'), { noNullPrototype: true }),
  ),
})).any

describe('scanning', () => {
  test('text that was written from a safe value reads back as that value', () => {
    fc.assert(
      fc.property(safeJson, (safe) => {
        expect(text(JSON.stringify(safe))).toEqual(safe)
      }),
    )
  })

  test('indented text gives the same as dense text', () => {
    fc.assert(
      fc.property(safeJson, (safe) => {
        expect(text(JSON.stringify(safe, null, '\t'))).toEqual(safe)
      }),
    )
  })

  test('the text of a safe value parses back to an equal value', () => {
    fc.assert(
      fc.property(safeJson, (safe) => {
        expect(JSON.parse(value(safe))).toEqual(safe)
      }),
    )
  })

  test('any value at all gives text that the other scan accepts, or a typed error', () => {
    const anything = fc.anything({ withBigInt: true, withDate: true, withMap: true, withSparseArray: true })
    fc.assert(
      fc.property(anything, (input) => {
        try {
          text(value(input))
        } catch (error) {
          expect(error).toBeInstanceOf(HoldfastError)
        }
      }),
    )
  })

  test('a copy is what its text reads back as, whatever was handed in', () => {
    const anything = fc.anything({ withNullPrototype: true, withSparseArray: true })
    fc.assert(
      fc.property(fc.oneof(safeJson, anything), (input) => {
        const { copy, text } = copyOrText(input)
        expect(copy).toStrictEqual(text === undefined ? undefined : JSON.parse(text))
      }),
    )
  })

  test('a copy shares nothing that could be changed, and reads each property once', () => {
    let reads = 0
    const inner = { list: [{ deep: 1 }], zero: -0, absent: undefined }
    const input = {
      inner,
      get next() {
        reads += 1
        return reads === 1 ? 'first' : () => reads
      },
    }
    const { copy, text } = scanCopy(input, 'eventBytes', 'message')
    inner.list.push({ deep: 2 })
    Object.assign(inner.list[0] as object, { deep: 3 })
    expect(copy).toStrictEqual({ inner: { list: [{ deep: 1 }], zero: 0 }, next: 'first' })
    expect(text).toBe('{"inner":{"list":[{"deep":1}],"zero":0},"next":"first"}')
  })

  test('any text at all gives a value that the other scan accepts, or a typed error', () => {
    const piece = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      '\\',
      '"a"',
      '-0',
      '1e9',
      'null',
      ' ',
      '\ud800',
    )
    fc.assert(
      fc.property(
        fc.array(piece).map((pieces) => pieces.join('')),
        (input) => {
          try {
            value(text(input))
          } catch (error) {
            expect(error).toBeInstanceOf(HoldfastError)
          }
        },
      ),
    )
  })

  test('a key that appears twice in the text is always found', () => {
    const pair = fc.tuple(
      key,
      fc.jsonValue().filter((json) => !JSON.stringify(json).includes('__proto__')),
    )
    fc.assert(
      fc.property(fc.array(pair, { minLength: 1 }), fc.nat(), (pairs, at) => {
        const members = [...pairs, pairs[at % pairs.length] as [string, unknown]]
        const written = members.map(([name, json]) => `${JSON.stringify(name)}:${JSON.stringify(json)}`)
        expectCode(() => text(`[{${written.join()}}]`), 'invalid_input')
      }),
    )
  })
})

describe('size', () => {
  const max = limits.metadataBytes

  test('a text of exactly the limit passes and one byte more does not', () => {
    const full = `"${'a'.repeat(max - 2)}"`
    expect(scanText(full, 'metadataBytes', 'metadata')).toHaveLength(max - 2)
    expect(scanValue('a'.repeat(max - 2), 'metadataBytes', 'metadata')).toBe(full)
    for (const act of [
      () => scanText(`${full} `, 'metadataBytes', 'metadata'),
      () => scanValue('a'.repeat(max - 1), 'metadataBytes', 'metadata'),
    ]) {
      expect(failure(act)).toMatchObject({
        code: 'limit_exceeded',
        details: { limit: 'metadataBytes', max, actual: max + 1 },
      })
    }
  })

  test('size counts UTF-8 bytes, not characters', () => {
    const euros = '€'.repeat(Math.floor((max - 2) / 3))
    expect(scanValue(euros, 'metadataBytes', 'metadata')).toBe(`"${euros}"`)
    expectCode(() => scanValue(`${euros}€`, 'metadataBytes', 'metadata'), 'limit_exceeded')
  })

  test('size counts the escapes of the written text', () => {
    expectCode(() => scanValue('\u0000'.repeat(max / 2), 'metadataBytes', 'metadata'), 'limit_exceeded')
  })

  test('the bytes of a text are those an encoder writes', () => {
    const unit = fc.constantFrom('a', 'é', '€', '🤖', '\ud83e', '\udd16', '\u0000', '\uffff')
    fc.assert(
      fc.property(
        fc.array(unit).map((units) => units.join('')),
        (input) => {
          expect(utf8Bytes(input)).toBe(new TextEncoder().encode(input).length)
        },
      ),
    )
  })
})

describe('depth and count', () => {
  const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)

  test('the deepest allowed value passes and one level more does not', () => {
    const deepest = text(nested(limits.jsonDepth))
    expect(value(deepest)).toBe(nested(limits.jsonDepth))
    const details = { limit: 'jsonDepth', max: limits.jsonDepth, actual: limits.jsonDepth + 1 }
    expect(failure(() => text(nested(limits.jsonDepth + 1)))).toMatchObject({
      code: 'limit_exceeded',
      details,
    })
    expect(failure(() => value([deepest]))).toMatchObject({ code: 'limit_exceeded', details })
  })

  test('a million levels end in the typed error, closed or not', () => {
    expectCode(() => text('['.repeat(1_000_000)), 'limit_exceeded')
    expectCode(() => text(nested(1_000_000)), 'limit_exceeded')
    expectCode(() => text('{"a":'.repeat(500_000)), 'limit_exceeded')
  })

  test('brackets inside strings are not levels', () => {
    expect(text(JSON.stringify('["\\['.repeat(100)))).toBe('["\\['.repeat(100))
  })

  test('the largest allowed count passes and one more does not', () => {
    const most = new Array(limits.jsonNodes).fill(0)
    expect(text(value(most))).toHaveLength(limits.jsonNodes)
    const details = { limit: 'jsonNodes', max: limits.jsonNodes, actual: limits.jsonNodes + 1 }
    expect(failure(() => value([...most, 0]))).toMatchObject({ code: 'limit_exceeded', details })
    expect(failure(() => text(JSON.stringify([...most, 0])))).toMatchObject({
      code: 'limit_exceeded',
      details,
    })
  })

  test('keys and items both count, on every level', () => {
    const rows = Array.from({ length: limits.jsonNodes / 4 }, () => ({ a: 1, b: [2] }))
    expect(text(value(rows))).toHaveLength(rows.length)
    expectCode(() => value([...rows, 1]), 'limit_exceeded')
  })

  test('a value that shares its parts is counted as it would be written', () => {
    let shared: unknown = 'leaf'
    for (let i = 0; i < 50; i++) shared = { left: shared, right: shared }
    expectCode(() => value(shared), 'limit_exceeded')
  })

  test('a cycle is too deep', () => {
    const cycle: { self?: unknown } = {}
    cycle.self = cycle
    expect(failure(() => value(cycle)).details).toMatchObject({ limit: 'jsonDepth' })
  })
})

describe('texts and keys', () => {
  test('a lone surrogate is refused wherever it stands', () => {
    for (const lone of ['\ud800', '\udc00', '\udc00\ud800']) {
      expectCode(() => value(lone), 'invalid_input')
      expectCode(() => value({ [lone]: 1 }), 'invalid_input')
      expectCode(() => text(`"${lone}"`), 'invalid_input')
      expectCode(() => text(JSON.stringify(lone)), 'invalid_input')
      expectCode(() => text(JSON.stringify({ [lone]: 1 })), 'invalid_input')
    }
  })

  test('a surrogate pair passes, raw and escaped', () => {
    expect(text('["🤖","\\ud83e\\udd16"]')).toEqual(['🤖', '🤖'])
  })

  test('NUL passes inside a string and is written as an escape', () => {
    expect(value('a\u0000b')).toBe('"a\\u0000b"')
    expect(text('"a\\u0000b"')).toBe('a\u0000b')
    expectCode(() => text('"a\u0000b"'), 'invalid_input')
  })

  test('the key __proto__ is refused on every level, escaped or not', () => {
    for (const json of ['{"__proto__":1}', '[{"a":{"__proto__":{}}}]', '{"\\u005f_proto__":null}']) {
      expectCode(() => text(json), 'invalid_input')
      expectCode(() => value(JSON.parse(json)), 'invalid_input')
    }
  })

  test('constructor and prototype are foreign data like any other, and refused among our own keys', () => {
    const foreign = { constructor: { prototype: 1 }, prototype: 2 }
    expect(text(value(foreign))).toEqual(foreign)
    for (const name of ['__proto__', 'constructor', 'prototype']) {
      expectCode(() => checkOwnKeys(JSON.parse(`{"${name}":1}`), 'metadata'), 'invalid_input')
    }
    expect(checkOwnKeys({ constructors: 1 }, 'metadata')).toBeUndefined()
  })

  test('a message names the place and shows no content', () => {
    const secret = 'canary-9f2c'
    const { message } = failure(() => value({ parts: [{ [secret]: { text: `${secret}\ud800` } }] }))
    expect(message).toBe('message.parts[0].*.text: a lone surrogate.')
    expect(failure(() => text(`{"${secret}"`)).message).toBe('message: not JSON.')
    expect(failure(() => text(`{"${secret}"`)).cause).toBeUndefined()
  })
})

describe('numbers', () => {
  test('whole numbers end at ±(2^53−1), however they are written', () => {
    const edge = Number.MAX_SAFE_INTEGER
    expect(text(value([edge, -edge]))).toEqual([edge, -edge])
    for (const beyond of [edge + 1, -edge - 1, 1e300, -1e300])
      expectCode(() => value([beyond]), 'invalid_input')
    for (const beyond of [
      '9007199254740992',
      '9007199254740993',
      '-9007199254740993',
      '1e16',
      '9007199254740992.0',
    ]) {
      expectCode(() => text(`[${beyond}]`), 'invalid_input')
    }
  })

  test('numbers that are not finite are refused', () => {
    for (const number of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      expectCode(() => value({ a: number }), 'invalid_input')
    }
    for (const number of ['1e400', '-1e400', 'NaN', 'Infinity'])
      expectCode(() => text(number), 'invalid_input')
  })

  test('minus zero becomes 0', () => {
    expect(value([-0])).toBe('[0]')
    expect(text('{"a":[-0,-0.0,-1e-400],"b":"-0"}')).toStrictEqual({ a: [0, 0, 0], b: '-0' })
  })
})

describe('JavaScript values that are not JSON', () => {
  test('a property that is undefined is absent', () => {
    expect(value({ a: undefined, b: { c: undefined } })).toBe('{"b":{}}')
  })

  test('undefined is refused as the whole and as an item, and so is a hole', () => {
    for (const input of [undefined, [undefined], new Array(2)])
      expectCode(() => value(input), 'invalid_input')
  })

  test('functions, symbols and bigints are refused', () => {
    for (const input of [() => 1, Symbol('a'), 1n]) expectCode(() => value({ a: input }), 'invalid_input')
  })

  test('objects that are more than their data are refused', () => {
    class Point {
      x = 1
    }
    const inputs = [
      new Date(0),
      new Map(),
      new Set(),
      /a/,
      new Point(),
      Object('a'),
      new Uint8Array(1),
      new Error('a'),
    ]
    for (const input of inputs) expectCode(() => value({ a: input }), 'invalid_input')
  })

  test('an object or array that writes itself is refused', () => {
    const toJSON = () => 'other'
    for (const input of [{ toJSON }, Object.assign([1], { toJSON })])
      expectCode(() => value(input), 'invalid_input')
    expect(value({ toJSON: 'data' })).toBe('{"toJSON":"data"}')
  })

  test('an object without a prototype is plain', () => {
    expect(value(Object.assign(Object.create(null), { a: 1 }))).toBe('{"a":1}')
  })

  test('a getter that throws ends in the typed error with its cause', () => {
    const cause = new Error('no')
    const input = {
      get a() {
        throw cause
      },
    }
    expect(failure(() => value(input))).toMatchObject({ code: 'invalid_input', cause })
  })
})
