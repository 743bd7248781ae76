/** A host's commands on their way into the log: checked, with their terms, all or nothing. */
import { type Actor, HoldfastError } from '@holdfast/protocol'
import type { Attachment } from '../store/store.ts'
import { checkCommand, type HostCommand } from './check-command.ts'
import type { Written } from './request.ts'
import type { TenantLog } from './tenant-log.ts'
import { termsOf, type WriteOptions } from './write-options.ts'

/** Who writes, and beside what. */
export interface Writer {
  log: TenantLog
  sessionId: string
  actor: Actor
  /** A run's own worker. */
  epoch?: number
}

export interface Beside {
  attachments?: readonly Attachment[]
  dropDrafts?: readonly string[]
}

/** `more`: what of the request is in no command, and still makes it another one under the same key. */
export function writeCommands(
  { log, sessionId, actor, epoch }: Writer,
  commands: readonly HostCommand[],
  options?: WriteOptions,
  beside?: Beside,
  more?: unknown,
): Promise<Written> {
  let terms: ReturnType<typeof termsOf>
  let checked: ReturnType<typeof checkCommand>[]
  try {
    if (!Array.isArray(commands)) throw new HoldfastError('invalid_input', 'commands: expected an array.')
    checked = commands.map((command) => checkCommand(command, log.engine.texts))
    terms = termsOf(
      options,
      actor,
      () => {
        const asked = checked.map(withoutTaker)
        const body = more === undefined ? asked : [asked, more]
        return { operation: operationOf(commands), sessionId, body }
      },
      checked.length,
    )
  } catch (error) {
    return Promise.reject(error)
  }
  if (epoch !== undefined) terms.epoch = epoch
  if (beside) Object.assign(terms, beside)
  return log.write(sessionId, checked, terms)
}

/** Which worker takes a run, and for how long, is no part of what was asked: another process may ask for the same. */
function withoutTaker(command: ReturnType<typeof checkCommand>): object {
  if (command.type !== 'startRun') return command
  const { owner: _owner, ttlMs: _ttlMs, ...asked } = command
  return asked
}

function operationOf(commands: readonly { type: string }[]): string {
  return commands.map(({ type }) => type).join(' ')
}
