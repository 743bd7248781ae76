/** Agents for Holdfast: turns that are runs on a session's log, over any model of the AI SDK. */
export { Agents, type AgentsOptions, withAgents } from './agents.ts'
export { type Agent, type AgentInput, defineAgent } from './define/agent.ts'
export type { Schema, SchemaSource } from './define/schema.ts'
export { type Approval, defineTool, type Tool, type ToolContext, type ToolInput } from './define/tool.ts'
export type { CallSettings } from './model/settings.ts'
export type { AgentSession, Input, SendOptions } from './session/agent-session.ts'
export type { TurnResult, TurnStream } from './session/turn-stream.ts'
