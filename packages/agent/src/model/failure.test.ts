import { APICallError } from '@ai-sdk/provider'
import { describe, expect, it } from 'vitest'
import { messageOf } from '../message-of.ts'
import { failureOf } from './failure.ts'

const code = 'previous_response_not_found'
const message = "Previous response with id 'resp_1' not found."

function refused(data: unknown): APICallError {
  return new APICallError({ message, url: 'http://provider', requestBodyValues: {}, statusCode: 400, data })
}

describe('what a request refers to was forgotten', () => {
  it.each<[string, unknown]>([
    ['refused', refused({ error: { message, code } })],
    ['told at the beginning of the stream', refused({ type: 'error', message, code })],
    ['told there in the words of a refusal', refused({ type: 'error', error: { message, code } })],
    ['told of a response that failed', refused({ type: 'response.failed', response: { error: { code } } })],
    ['told in the stream', { message, statusCode: 404, isRetryable: false, data: { message, code } }],
    ['an item, told in the stream', { message: "Item with id 'rs_1' not found.", statusCode: 400 }],
  ])('%s', (_what, error) => {
    expect(failureOf(error)).toMatchObject({ isForgotten: true, retryable: false })
  })

  it.each<[string, unknown]>([
    ['a model that is not there', refused({ error: { message: 'No such model', code: 'model_not_found' } })],
    ['another error in the stream', { message: 'Overloaded', statusCode: 503, data: { code: 'overloaded' } }],
    ['an error without more', refused(undefined)],
  ])('but not by %s', (_what, error) => {
    expect(failureOf(error).isForgotten).toBeUndefined()
  })
})

it.each<[unknown, boolean]>([
  [{ message: 'Overloaded', statusCode: 529, isRetryable: true }, true],
  [{ message: 'Bad', statusCode: 400, isRetryable: false }, false],
  [{ message: 'Bad gateway', code: 502 }, true],
  [{ message: 'Slow down', code: 'rate_limit_exceeded' }, true],
  [{ message: 'Busy', type: 'overloaded_error' }, true],
  [{ message: 'Bad', type: 'invalid_request_error', code: null }, false],
  [{ message: 'No money', type: 'insufficient_quota' }, false],
])('an error in a stream, %j, is worth another try: %s', (error, retryable) => {
  expect(failureOf(error)).toMatchObject({ code: 'model_error', retryable })
  expect(failureOf(error).message).toContain((error as { message: string }).message)
})

it('whatever is thrown says something', () => {
  const thrown = [new Error('one'), { message: 'two' }, 'three', { message: 4 }, undefined]
  expect(thrown.map(messageOf)).toEqual(['one', 'two', 'three', '[object Object]', 'undefined'])
})
