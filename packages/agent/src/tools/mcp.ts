/**
 * The tools of an MCP server as tools of an agent. The client is whoever has its shape, as the official SDK's `Client` has:
 * how the server is reached, and who closes it, is the host's.
 */
import type { JsonObject } from '@holdfast/protocol'
import { type Approval, defineTool, type Tool } from '../define/tool.ts'

export interface McpClient {
  listTools(params?: { cursor?: string }): Promise<{ tools: McpTool[]; nextCursor?: string | undefined }>
  callTool(
    params: { name: string; arguments?: Record<string, unknown> },
    resultSchema?: undefined,
    options?: { signal?: AbortSignal; timeout?: number },
  ): Promise<{ [key: string]: unknown }>
}

interface McpTool {
  name: string
  description?: string | undefined
  inputSchema: { [key: string]: unknown }
  annotations?: { readOnlyHint?: boolean | undefined; idempotentHint?: boolean | undefined } | undefined
}

export interface McpOptions {
  /** Put before each name, so that two servers may have tools of one name. */
  prefix?: string
  /**
   * Default `always` but for tools that say that they only read: what a server says of itself decides nothing more than
   * whether somebody is asked.
   */
  approval?: 'never' | 'always' | ((tool: { name: string; readOnly: boolean }) => Approval<unknown>)
  timeoutMs?: number
  maxOutputBytes?: number
}

/** As of any tool. */
const defaultTimeoutMs = 300_000
/** Pages of tools that are asked for. */
const mostPages = 100

/** What the server has now; ask again when it says that its list has changed. */
export async function mcpTools(client: McpClient, options: McpOptions = {}): Promise<Tool[]> {
  const tools: McpTool[] = []
  let cursor: string | undefined
  for (let page = 0; page < mostPages; page++) {
    const listed = await client.listTools(cursor === undefined ? {} : { cursor })
    tools.push(...listed.tools)
    cursor = listed.nextCursor
    if (cursor === undefined) break
  }
  return tools.map((tool) => toolOf(client, tool, options))
}

function toolOf(client: McpClient, tool: McpTool, options: McpOptions): Tool {
  const { timeoutMs, maxOutputBytes, prefix = '' } = options
  return defineTool({
    name: nameOf(`${prefix}${tool.name}`),
    description: tool.description ?? '',
    input: tool.inputSchema as JsonObject,
    approval: approvalOf(tool, options.approval),
    idempotent: tool.annotations?.readOnlyHint === true,
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(maxOutputBytes !== undefined && { maxOutputBytes }),
    execute: async (input, { signal }) => {
      const params = { name: tool.name, arguments: input as Record<string, unknown> }
      return outputOf(
        await client.callTool(params, undefined, { signal, timeout: timeoutMs ?? defaultTimeoutMs }),
      )
    },
  })
}

/** What providers do not take in a name becomes an underscore. */
function nameOf(name: string): string {
  return name.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, 64)
}

function approvalOf({ name, annotations }: McpTool, approval: McpOptions['approval']): Approval<unknown> {
  const readOnly = annotations?.readOnlyHint === true
  if (approval === undefined) return readOnly ? 'never' : 'always'
  return typeof approval === 'string' ? approval : approval({ name, readOnly })
}

/** Structured output as it is; else the texts. What is no text is told by its kind. An error of the tool is thrown. */
function outputOf({ content, structuredContent, isError }: { [key: string]: unknown }): unknown {
  const texts = Array.isArray(content) ? content.map(textOf).join('\n') : ''
  if (isError === true) throw new Error(texts === '' ? 'the tool failed' : texts)
  return structuredContent ?? texts
}

function textOf(part: { type?: unknown; text?: unknown; mimeType?: unknown }): string {
  return typeof part.text === 'string' ? part.text : `[${part.type} ${part.mimeType ?? ''}]`
}
