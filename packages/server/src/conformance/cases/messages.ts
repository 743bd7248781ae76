import { casesOf } from '../case.ts'
import { userMessage } from '../trial.ts'

export const messageCases = casesOf('messages', [
  {
    title: 'messages are read in the order they were appended',
    run: async (t) => {
      const id = await t.session()
      for (const words of ['a', 'b', 'c']) t.equal((await t.append(id, words)).status, 201, words)
      const { body } = await t.call('GET', `/v1/sessions/${id}/messages`)
      const texts = (body.data as { parts: { text: string }[] }[]).map(({ parts }) => parts[0]?.text)
      t.equal(texts, ['a', 'b', 'c'], 'the texts')
    },
  },
  {
    title: 'several messages are appended whole or not at all',
    run: async (t) => {
      const id = await t.session()
      const path = `/v1/sessions/${id}/messages`
      const both = await t.call('POST', path, { body: { messages: [userMessage('a'), userMessage('b')] } })
      t.equal((both.body.messages as object[]).length, 2, 'two')
      const broken = await t.call('POST', path, { body: { messages: [userMessage('c'), { role: 'user' }] } })
      t.refused(broken, 'invalid_input', 400)
      t.equal(((await t.call('GET', path)).body.data as object[]).length, 2, 'still two')
    },
  },
  {
    title: 'one idempotency key has one effect and one answer, however often and however many at once',
    run: async (t) => {
      const id = await t.session()
      const key = { 'idempotency-key': `k-${id}` }
      const replies = await Promise.all(Array.from({ length: 20 }, () => t.append(id, 'once', key)))
      t.equal(new Set(replies.map(({ status, text }) => `${status} ${text}`)).size, 1, 'answers')
      t.equal(
        replies.filter(({ headers }) => !headers.has('idempotency-replayed')).length,
        1,
        'first answers',
      )
      t.refused(await t.append(id, 'twice', key), 'key_conflict', 422)
      const { body } = await t.call('GET', `/v1/sessions/${id}/messages`)
      t.equal((body.data as object[]).length, 1, 'messages')
    },
  },
  {
    title: 'what was undone is gone from the messages and comes back when it is redone',
    run: async (t) => {
      const id = await t.session()
      await t.append(id, 'a')
      const count = async () =>
        ((await t.call('GET', `/v1/sessions/${id}/messages`)).body.data as object[]).length
      t.equal((await t.call('POST', `/v1/sessions/${id}/undo`)).status, 200, 'undoing')
      t.equal(await count(), 0, 'undone')
      t.equal((await t.call('POST', `/v1/sessions/${id}/redo`)).status, 200, 'redoing')
      t.equal(await count(), 1, 'redone')
      t.refused(await t.call('POST', `/v1/sessions/${id}/redo`), 'nothing_to_redo', 409)
    },
  },
  {
    title: 'a caller that wants no body is sent none',
    run: async (t) => {
      const { status, text } = await t.append(await t.session(), 'a', { prefer: 'return=minimal' })
      t.equal([status, text], [201, ''], 'the answer')
    },
  },
  {
    title: 'an open question is answered once, and by what it allows',
    run: async (t) => {
      const path = `/v1/sessions/${await t.session()}/questions`
      const body = { questionId: 'q1', question: '?', options: ['yes'], allowCustom: false }
      t.equal((await t.call('POST', path, { body })).status, 201, 'asking')
      const answer = (value: string) => t.call('POST', `${path}/q1/answer`, { body: { answer: value } })
      t.refused(await answer('no'), 'invalid_answer', 422)
      t.equal((await answer('yes')).status, 200, 'answering')
      t.refused(await answer('yes'), 'question_not_open', 409)
    },
  },
])
