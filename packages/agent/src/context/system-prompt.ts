/**
 * The system prompt as named sections, and as the one text that is sent. It is made once for a turn, so that the beginning
 * of every call of the turn is the same, byte for byte.
 */
import { formatTaskListForPrompt, type Holdfast } from '@holdfast/core'
import type { PromptSnapshot, RecordBody, Session } from '@holdfast/protocol'
import type { Agent } from '../define/agent.ts'

export async function promptSnapshotOf(
  agent: Agent,
  session: Session,
  { personas, seeds }: Pick<Holdfast, 'personas' | 'seeds'>,
): Promise<PromptSnapshot> {
  const persona = session.personaId === undefined ? undefined : await personas.get(session.personaId)
  const seed = session.seedId === undefined ? undefined : await seeds.get(session.seedId)
  const sections = [
    { name: 'instructions', text: agent.instructions },
    { name: 'persona', text: persona ? personaText(persona.body) : '' },
    { name: 'goal', text: seed ? seedText(seed.body) : goalText(session) },
    { name: 'tasks', text: formatTaskListForPrompt(session.taskList) },
  ].filter(({ text }) => text.trim() !== '')
  return { sections, effectiveText: sections.map(({ text }) => text).join('\n\n') }
}

function personaText({ name, role, description, systemPrompt, traits }: RecordBody<'persona'>): string {
  const lines = [
    `You are ${name}${role === undefined ? '' : `, ${role}`}.`,
    description ?? '',
    traits.length > 0 ? `You are: ${traits.join(', ')}.` : '',
    systemPrompt ?? '',
  ]
  return lines.filter(Boolean).join('\n')
}

function goalText({ goalText: goal }: Session): string {
  return goal === undefined ? '' : `Your goal: ${goal}`
}

function seedText({ goal, constraints, acceptanceCriteria, ontology }: RecordBody<'seed'>): string {
  return [
    `Your goal: ${goal}`,
    ...listed('Constraints:', constraints),
    ...listed('It is reached when:', acceptanceCriteria),
    ...listed(
      'Words:',
      ontology.map(({ name, description }) => `${name}: ${description}`),
    ),
  ].join('\n')
}

function listed(title: string, items: readonly string[]): string[] {
  return items.length === 0 ? [] : [title, ...items.map((item) => `- ${item}`)]
}
