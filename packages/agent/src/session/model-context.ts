/** What the model would see now, as a value: nothing is called and nothing is written. */
import { resolveBudget, type UnseenSession } from '@holdfast/core'
import type { ModelContext, PromptSnapshot, Session } from '@holdfast/protocol'
import { type Continuation, continuationOf } from '../context/continuation.ts'
import { KeptPrompt } from '../context/kept-prompt.ts'
import { modelBlock, systemBlocks } from '../context/manifest.ts'
import { pricedBreak } from '../context/priced-break.ts'
import { sizeUp } from '../context/size-up.ts'
import { promptSnapshotOf } from '../context/system-prompt.ts'
import type { Agent } from '../define/agent.ts'
import { firstModel, toolsOf } from '../turn/prepare.ts'
import type { World } from '../turn/world.ts'

/** `prompt`: that of the turn under way, which is made once for a turn. */
export async function modelContextOf(
  world: World,
  agent: Agent,
  session: UnseenSession,
  prompt: PromptSnapshot | undefined,
): Promise<ModelContext> {
  const [record, state, model] = await Promise.all([
    session.view(),
    session.contextState(),
    firstModel(agent),
  ])
  const count = await world.counter
  const { sections, effectiveText } = prompt ?? (await promptOf(world, agent, record))
  const tools = toolsOf(agent)
  const kept = new KeptPrompt(session, count)
  const window = await kept.read()
  const before = [modelBlock(model), ...systemBlocks(tools, sections, count)]
  const size = sizeUp(before, window, state.lastCall)
  const held = continuationOf(agent, model, { state, size, window, kept, nowMs: world.now() })
  const { tokens, manifest, broken } = size
  return {
    sessionId: session.id,
    agentId: agent.id,
    providerId: model.provider,
    model: model.modelId,
    system: { sections, text: effectiveText },
    tools: tools.map(({ name }) => name),
    messages: window.messages.map((message) => ({ ...message })),
    tokens,
    budget: resolveBudget(record.budget),
    manifest,
    ...(broken && { cacheBreak: await pricedBreak(world, model, broken) }),
    ...(held && 'response' in held && { continues: continues(held) }),
  }
}

function continues({ response, messages, tokens }: Continuation): ModelContext['continues'] {
  return { responseId: response.id, messages, tokens }
}

/** A turn in another process has said which one it goes by; a turn that is still to begin makes its own. */
async function promptOf({ holdfast }: World, agent: Agent, record: Session): Promise<PromptSnapshot> {
  const { run, promptSnapshot } = record
  if (run?.owner !== undefined && promptSnapshot) return promptSnapshot
  return promptSnapshotOf(agent, record, holdfast)
}
