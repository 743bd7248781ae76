import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { defineAgent, mcpTools } from '../src/index.ts'
import { newPlace, started } from './support/place.ts'
import { scripted } from './support/script.ts'

async function connected() {
  const server = new McpServer({ name: 'files', version: '1' })
  const removed: string[] = []
  const path = { path: z.string() }
  const read = { description: 'Reads a file', inputSchema: path, annotations: { readOnlyHint: true } }
  server.registerTool('read.file', read, ({ path: name }) => ({
    content: [{ type: 'text', text: `${name}: hello` }],
  }))
  server.registerTool('remove', { description: 'Removes a file', inputSchema: path }, ({ path: name }) => {
    removed.push(name)
    return { content: [{ type: 'text', text: 'gone' }] }
  })
  server.registerTool(
    'fail',
    { description: '', inputSchema: {}, annotations: { readOnlyHint: true } },
    () => ({
      isError: true,
      content: [{ type: 'text', text: 'no disk' }],
    }),
  )
  const client = new Client({ name: 'test', version: '1' })
  const [near, far] = InMemoryTransport.createLinkedPair()
  await Promise.all([server.connect(far), client.connect(near)])
  return { client, removed }
}

it('tools of an MCP server run as an agent’s own; what may change something is asked for first', async () => {
  const { client, removed } = await connected()
  const tools = await mcpTools(client, { prefix: 'fs_' })
  expect(tools.map(({ name, approval }) => [name, approval])).toEqual([
    ['fs_read_file', 'never'],
    ['fs_remove', 'always'],
    ['fs_fail', 'never'],
  ])
  const model = scripted([
    {
      calls: [
        { id: 'a', name: 'fs_read_file', input: { path: 'x' } },
        { id: 'b', name: 'fs_read_file', input: { path: 5 } },
        { id: 'c', name: 'fs_fail', input: {} },
        { id: 'd', name: 'fs_remove', input: { path: 'y' } },
      ],
    },
    { text: 'Done.' },
  ])
  const { agents } = await started(newPlace(), { agents: [defineAgent({ id: 'a', model, tools })] })
  const session = await agents.create({ agentId: 'a' })
  const asked = await session.send('Go.').result
  expect(asked.question).toMatchObject({ toolName: 'fs_remove' })
  expect(removed).toEqual([])
  await session.answer(asked.question?.questionId ?? '', 'approve').result
  expect(removed).toEqual(['y'])
  const { messages } = await session.log.messages()
  const results = messages.flatMap(({ parts }) =>
    parts.flatMap((part) => (part.type === 'tool_result' ? [part] : [])),
  )
  expect(Object.fromEntries(results.map(({ callId, output }) => [callId, output]))).toEqual({
    a: 'x: hello',
    b: expect.stringContaining('does not fit'),
    c: 'no disk',
    d: 'gone',
  })
  await client.close()
})

it('a schema that cannot be checked loses no tool: the model is shown it as it is, and the server checks', async () => {
  const range = { type: 'object', properties: { x: { type: 'number' } } }
  const copy = { type: 'object', properties: { from: range, to: { $ref: '#/properties/from' } } }
  const tools = await mcpTools({
    listTools: async () => ({
      tools: [
        { name: 'good', inputSchema: range },
        { name: 'copy', inputSchema: copy },
      ],
    }),
    callTool: async () => ({}),
  })
  expect(tools.map(({ name, input }) => [name, input.json])).toEqual([
    ['good', range],
    ['copy', copy],
  ])
})
