/** The system prompt as named sections, and as the one text that is sent. */

import type { PromptSnapshot, Session } from '@holdfast/protocol'
import type { Agent } from '../define/agent.ts'

export function promptSnapshotOf(agent: Agent, _session: Session): PromptSnapshot {
  const sections = [{ name: 'instructions', text: agent.instructions }].filter(({ text }) => text !== '')
  return { sections, effectiveText: sections.map(({ text }) => text).join('\n\n') }
}
