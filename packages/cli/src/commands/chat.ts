/** `holdfast chat`: turns with an agent, in this process on the store, or in a server. */
import { HoldfastError } from '@holdfast/protocol'
import { Chat } from '../chat/chat.ts'
import { Interrupts } from '../chat/interrupts.ts'
import { openChat } from '../chat/open-chat.ts'
import { greet, requireOpen, showLast } from '../chat/opening.ts'
import { PipedSpeaker, TypingSpeaker } from '../chat/speaker.ts'
import { DrawnView, JsonView } from '../chat/turn-view.ts'
import { command, examples } from '../command.ts'
import { type Settings, shownStore } from '../place/settings.ts'
import { sessionName } from '../sessions/session-name.ts'
import { plainLine } from '../terminal/plain.ts'

interface Options {
  agent?: string
}

/** Of a session that is gone on with. */
const shownMessages = 6

export const chatCommand = command<Options>({
  define(command) {
    command.option(
      '--agent <id>',
      'who answers in a new session; else default, or the first of holdfast.config.ts',
    )
    command.addHelpText(
      'after',
      `
Without agents in holdfast.config.ts there is one, default. Its model: ANTHROPIC_API_KEY or
OPENAI_API_KEY, else a server on this machine (Ollama, LM Studio, vLLM), else a script that says
so. HOLDFAST_MODEL names another: anthropic/claude-opus-5-5, openai/gpt-6-luna, or a bare id.
Ctrl-C stops an answer and keeps what was said; at the prompt it ends the chat, as Ctrl-D does.`,
    )
    examples(command, [
      ['holdfast chat', 'a new session'],
      ['holdfast chat last', 'go on in the session that changed last'],
      ['holdfast chat --agent support', 'with an agent of holdfast.config.ts'],
      ['holdfast chat --server http://localhost:4780', 'with an agent of a server'],
      ['echo "What time is it?" | holdfast chat', 'each line a turn; after a question its answer'],
      ['holdfast chat --json < turns.txt', 'every event as a line of JSON'],
    ])
  },
  async run(context, [text], { agent }) {
    const { output, world } = context
    if (text !== undefined && agent !== undefined) {
      throw new HoldfastError('invalid_input', '--agent is for a new session; this one has its agent.')
    }
    const onError = (error: unknown): void => void output.aside(output.style.bad(plainLine(String(error))))
    const opened = await openChat(context, { text, agent, onError })
    const { place, sessionId, agentId, agents } = opened
    const before = sessionId === undefined ? [] : await place.history(sessionId, shownMessages)
    if (sessionId !== undefined) {
      const session = await place.view(sessionId)
      requireOpen(session, agents)
      await showLast(context, await sessionName(opened.sessions, session), before)
    }
    await greet(context, opened.answers, agentId)
    const interrupts = new Interrupts(onError)
    context.closeLater(world.onInterrupt(() => interrupts.pressed()))
    context.closeLater(() => interrupts.settled())
    const isTyped = world.canAsk && !output.wantsData
    const speaker = new (isTyped ? TypingSpeaker : PipedSpeaker)(context, interrupts.leaving)
    const view = output.wantsData ? new JsonView(output) : new DrawnView(output, before)
    const chat = new Chat(context, { place, speaker, interrupts, view, sessionId, agentId })
    try {
      return await chat.run()
    } finally {
      if (chat.sessionId !== undefined)
        await output.aside(`To go on: ${commandFor(chat.sessionId, await context.settings())}`)
    }
  },
})

function commandFor(sessionId: string, { store, storeFrom, server }: Settings): string {
  const on =
    server !== undefined
      ? ` --server ${server}`
      : storeFrom === '--store'
        ? ` --store ${shownStore(store)}`
        : ''
  return `holdfast chat ${sessionId}${on}`
}
