/** Conversations as files that grow piece by piece: what each format writes while an agent works. */
import fc from 'fast-check'

export interface Growing {
  file: string
  /** What is written at once: a line, or an item. */
  pieces: readonly object[]
  /** The file that holds these. */
  join(pieces: readonly object[]): string
}

/** What an agent did about something a user said. */
interface Turn {
  says: string
  /** What the system says behind the first call of the turn. */
  remark: string | undefined
  replies: readonly Reply[]
  answer: string | undefined
  /** What is said while the first reply is at work; `uuid`: as later versions write it. */
  queued: { says: string; uuid: boolean } | undefined
}

interface Reply {
  thinks: boolean
  speaks: boolean
  calls: readonly Call[]
}

interface Call {
  /** Undefined: none ever came. */
  result: string | undefined
  /** Its result comes before that of the call before it. */
  isFirst: boolean
  /** Of Claude Code: it puts a message in behind its result, as a skill does. */
  putsIn: boolean
}

const word = fc.constantFrom('list', 'files', 'banana', 'why', 'so', 'order')
const call = fc.record({
  result: fc.option(word, { nil: undefined, freq: 6 }),
  isFirst: fc.boolean(),
  putsIn: fc.boolean(),
})
const reply = fc.record({
  thinks: fc.boolean(),
  speaks: fc.boolean(),
  calls: fc.array(call, { minLength: 1, maxLength: 3 }),
})
const turn: fc.Arbitrary<Turn> = fc.record({
  says: word,
  remark: fc.option(word, { nil: undefined, freq: 1 }),
  replies: fc.array(reply, { maxLength: 3 }),
  answer: fc.option(word, { nil: undefined, freq: 4 }),
  queued: fc.option(fc.record({ says: word, uuid: fc.boolean() }), { nil: undefined, freq: 1 }),
})
const turns = fc.array(turn, { minLength: 1, maxLength: 3 })

function lines(pieces: readonly object[]): string {
  return pieces.map((piece) => `${JSON.stringify(piece)}\n`).join('')
}

interface Answered {
  id: string
  result: string
  putsIn: boolean
}

function answered(calls: readonly (Call & { id: string })[]): Answered[] {
  const found: Answered[] = []
  for (const { id, result, isFirst, putsIn } of calls) {
    if (result === undefined) continue
    if (isFirst) found.unshift({ id, result, putsIn })
    else found.push({ id, result, putsIn })
  }
  return found
}

/** Numbers the calls of a conversation. */
function numbered({ replies }: Turn, counter: { next: number }) {
  return replies.map((reply) => ({
    ...reply,
    calls: reply.calls.map((call) => ({ ...call, id: `call_${counter.next++}` })),
  }))
}

class ClaudeFile {
  readonly pieces: object[] = []
  #last: string | null = null
  #messages = 0

  line(type: string, message: object, beside: object = {}): void {
    const number = this.pieces.length + 1
    const uuid = `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`
    const timestamp = new Date(Date.UTC(2026, 4, 6, 7, 8, number)).toISOString()
    const common = { parentUuid: this.#last, isSidechain: false, sessionId: 's', uuid, timestamp }
    this.pieces.push({ ...common, type, message, ...beside })
    this.#last = uuid
  }

  /** A line for each block, as the program writes them: the figures grow. */
  reply(blocks: readonly object[]): void {
    const id = `msg_${++this.#messages}`
    for (const [at, block] of blocks.entries()) {
      const usage = { input_tokens: 10, cache_read_input_tokens: 5, output_tokens: 1 + 100 * at }
      this.line('assistant', { id, role: 'assistant', model: 'claude-opus-4-5', content: [block], usage })
    }
  }

  results(results: readonly Answered[]): void {
    for (const { id, result, putsIn } of results) {
      const content = [{ type: 'tool_result', tool_use_id: id, content: result }]
      this.line('user', { role: 'user', content }, { toolUseResult: { stdout: result } })
      const words = { role: 'user', content: 'Base directory for this skill: /skills' }
      if (putsIn) this.line('user', words, { isMeta: true, sourceToolUseID: id })
    }
  }

  queued({ says, uuid }: NonNullable<Turn['queued']>): void {
    const attachment = { type: 'queued_command', prompt: says, commandMode: 'prompt' }
    if (uuid) this.line('attachment', {}, { message: undefined, attachment })
    else this.pieces.push({ type: 'attachment', attachment, number: this.pieces.length })
  }

  title(aiTitle: string): void {
    this.pieces.push({ type: 'ai-title', aiTitle, sessionId: 's' })
  }

  beside(): void {
    this.pieces.push({ type: 'queue-operation', operation: 'enqueue', number: this.pieces.length })
  }
}

export const claudeLines: fc.Arbitrary<Growing> = turns.map((turns) => {
  const file = new ClaudeFile()
  const counter = { next: 1 }
  file.line('user', { role: 'user', content: 'Caveat' }, { isMeta: true })
  for (const turn of turns) {
    let { queued } = turn
    file.line('user', { role: 'user', content: turn.says })
    for (const { thinks, speaks, calls } of numbered(turn, counter)) {
      file.reply([
        ...(thinks ? [{ type: 'thinking', thinking: 'hm', signature: 'c2ln' }] : []),
        ...(speaks ? [{ type: 'text', text: 'I look.' }] : []),
        ...calls.map(({ id }) => ({ type: 'tool_use', id, name: 'Bash', input: { command: 'ls' } })),
      ])
      file.beside()
      file.results(answered(calls))
      if (queued) file.queued(queued)
      queued = undefined
    }
    file.title(turn.says)
    if (turn.answer !== undefined)
      file.reply([
        { type: 'thinking', thinking: 'so', signature: 'c2ln' },
        { type: 'text', text: turn.answer },
      ])
  }
  return { file: 'growing.jsonl', pieces: file.pieces, join: lines }
})

function itemsOf(turn: Turn, counter: { next: number }): object[][] {
  const requests = numbered(turn, counter).map(({ thinks, speaks, calls }, at) => [
    ...(thinks ? [{ type: 'reasoning', summary: [{ type: 'summary_text', text: 'hm' }] }] : []),
    ...(speaks ? [spoken('I look.')] : []),
    ...calls.flatMap(({ id }, nth) => [
      { type: 'function_call', name: 'shell', arguments: '{"q":1}', call_id: id },
      ...(turn.remark !== undefined && at + nth === 0 ? [remarked(turn.remark)] : []),
    ]),
    ...answered(calls).map(({ id, result }) => ({
      type: 'function_call_output',
      call_id: id,
      output: result,
    })),
  ])
  return turn.answer === undefined ? requests : [...requests, [spoken(turn.answer)]]
}

function spoken(text: string) {
  return { type: 'message', role: 'assistant', content: [{ type: 'output_text', text }] }
}

function remarked(text: string) {
  return { type: 'message', role: 'developer', content: [{ type: 'input_text', text }] }
}

function asked(text: string) {
  return { type: 'message', role: 'user', content: [{ type: 'input_text', text }] }
}

export const codexLines: fc.Arbitrary<Growing> = turns.map((turns) => {
  const timestamp = '2026-02-03T04:05:06.789Z'
  const pieces: object[] = []
  const total = { input_tokens: 0, cached_input_tokens: 0, output_tokens: 0, reasoning_output_tokens: 0 }
  const counter = { next: 1 }
  const push = (type: string, payload: object) => pieces.push({ timestamp, type, payload })
  push('session_meta', { id: 'codex-growing', timestamp, cwd: '/work' })
  for (const turn of turns) {
    push('turn_context', { cwd: '/work', model: 'gpt-5.3-codex' })
    push('response_item', asked(turn.says))
    push('event_msg', { type: 'user_message', message: turn.says })
    for (const items of itemsOf(turn, counter)) {
      const outputs = items.filter((item) => 'output' in item)
      for (const item of items) if (!outputs.includes(item as never)) push('response_item', item)
      total.input_tokens += 100
      total.output_tokens += 10
      push('event_msg', { type: 'token_count', info: { total_token_usage: { ...total } } })
      for (const item of outputs) push('response_item', item)
    }
  }
  return { file: 'growing.jsonl', pieces, join: lines }
})

function chatOf(turn: Turn, counter: { next: number }): object[] {
  const replies = numbered(turn, counter).flatMap(({ speaks, calls }, at) => [
    {
      role: 'assistant',
      content: speaks ? 'I look.' : null,
      tool_calls: calls.map(({ id }) => ({
        id,
        type: 'function',
        function: { name: 'shell', arguments: '{"q":1}' },
      })),
    },
    ...(turn.remark !== undefined && at === 0 ? [{ role: 'system', content: turn.remark }] : []),
    ...answered(calls).map(({ id, result }) => ({ role: 'tool', tool_call_id: id, content: result })),
  ])
  const answer = turn.answer === undefined ? [] : [{ role: 'assistant', content: turn.answer }]
  return [{ role: 'user', content: turn.says }, ...replies, ...answer]
}

export function listOf(format: 'openai-chat' | 'openai-responses'): fc.Arbitrary<Growing> {
  return turns.map((turns) => {
    const counter = { next: 1 }
    const isChat = format === 'openai-chat'
    const pieces = turns.flatMap((turn) =>
      isChat ? chatOf(turn, counter) : [asked(turn.says), ...itemsOf(turn, counter).flat()],
    )
    const join = isChat ? (list: readonly object[]) => JSON.stringify({ messages: list }) : JSON.stringify
    return { file: 'growing.json', pieces, join: (list: readonly object[]) => join(list) }
  })
}
