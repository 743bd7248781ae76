/** A change of each kind that a session can be given from outside, and what must have gone before. */
import type { ChangeOptions, HoldfastClient } from '@holdfast/client'

export interface Change {
  name: string
  prepare(client: HoldfastClient, session: string): Promise<unknown>
  send(client: HoldfastClient, session: string, options: ChangeOptions): Promise<unknown>
}

const text = (words: string) => ({ role: 'user' as const, parts: [{ type: 'text' as const, text: words }] })
const nothing = async (): Promise<void> => {}
const said: Change['prepare'] = (client, id) => client.sessions.append(id, [text('one'), text('two')])
const asked: Change['prepare'] = (client, id) =>
  client.sessions.ask(id, { questionId: 'q1', question: 'Which?' })
const listed: Change['prepare'] = (client, id) =>
  client.sessions.setTasks(id, { items: [{ id: 't1', description: 'first' }] })

export const changes: readonly Change[] = [
  { name: 'append', prepare: nothing, send: (c, id, o) => c.sessions.append(id, text('hello'), o) },
  {
    name: 'append several',
    prepare: nothing,
    send: (c, id, o) => c.sessions.append(id, [text('a'), text('b'), text('c')], o),
  },
  { name: 'edit', prepare: said, send: (c, id, o) => c.sessions.edit(id, '3', text('instead'), o) },
  {
    name: 'patch',
    prepare: nothing,
    send: (c, id, o) => c.sessions.patch(id, { title: 'T', pinned: true }, o),
  },
  { name: 'activate', prepare: nothing, send: (c, id, o) => c.sessions.activate(id, {}, o) },
  { name: 'close', prepare: said, send: (c, id, o) => c.sessions.close(id, {}, o) },
  {
    name: 'fork',
    prepare: said,
    send: (c, id, o) => c.sessions.fork(id, { agentId: `fork of ${id}` }, o),
  },
  { name: 'undo', prepare: said, send: (c, id, o) => c.sessions.undo(id, o) },
  {
    name: 'redo',
    prepare: async (c, id) => {
      await said(c, id)
      await c.sessions.undo(id)
    },
    send: (c, id, o) => c.sessions.redo(id, o),
  },
  { name: 'truncate', prepare: said, send: (c, id, o) => c.sessions.truncate(id, 3, o) },
  { name: 'note', prepare: nothing, send: (c, id, o) => c.sessions.addNote(id, { kind: 'k', text: 'n' }, o) },
  {
    name: 'ask',
    prepare: nothing,
    send: (c, id, o) => c.sessions.ask(id, { questionId: 'q1', question: 'Which?' }, o),
  },
  { name: 'answer', prepare: asked, send: (c, id, o) => c.sessions.answer(id, 'q1', 'that', o) },
  {
    name: 'withdraw',
    prepare: asked,
    send: (c, id, o) => c.sessions.withdrawQuestion(id, 'q1', 'no more', o),
  },
  {
    name: 'set tasks',
    prepare: nothing,
    send: (c, id, o) => c.sessions.setTasks(id, { items: [{ id: 't1', description: 'first' }] }, o),
  },
  {
    name: 'update task',
    prepare: listed,
    send: (c, id, o) => c.sessions.updateTask(id, { itemId: 't1', status: 'completed' }, o),
  },
  {
    name: 'usage',
    prepare: nothing,
    send: (c, id, o) =>
      c.sessions.recordUsage(id, { attemptId: 'a1', promptTokens: 1, completionTokens: 1 } as never, o),
  },
  { name: 'hold', prepare: nothing, send: (c, id, o) => c.sessions.hold(id, true, 'law', o) },
]
