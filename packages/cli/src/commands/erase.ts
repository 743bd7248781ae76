/** `holdfast erase`: content goes for good, here and in forks; the log keeps its shape. */
import { HoldfastError } from '@holdfast/protocol'
import { InvalidArgumentError } from 'commander'
import { command, examples } from '../command.ts'
import type { ErasedHere, Place } from '../place/place.ts'
import { resolveId } from '../sessions/resolve-id.ts'
import { confirmed } from '../terminal/confirm.ts'
import { count } from '../terminal/figures.ts'
import { plainLine } from '../terminal/plain.ts'

interface Options {
  user?: string
  seqs?: number[]
  message?: string
  reason?: string
  yes?: true
}

export const eraseCommand = command<Options>({
  define(command) {
    command
      .option('--user <id>', 'forget this person in every session')
      .option('--seqs <seqs>', 'the content of these events of the session: 12,40-44', seqList)
      .option('--message <id>', 'this message of the session, with the versions it replaced')
      .option('--reason <text>', 'why')
      .option('-y, --yes', 'do not ask')
    examples(command, [
      ['holdfast erase --user u-1987', 'everywhere; gives a receipt'],
      [
        'holdfast erase 3768e8c2 --seqs 12,40-44 --reason "a password"',
        'what stands there, and what came of it',
      ],
    ])
  },
  async run(context, [text], options) {
    const { output } = context
    const { question, erase } = await planOf(await context.place(), text, options)
    if (!(await confirmed(context, question, options.yes ?? false))) return 'refused'
    const receipt = await erase()
    const stranger = isEmpty(receipt) ? options.user : undefined
    if (output.wantsData) await output.one(receipt)
    else if (stranger !== undefined) await output.lines([`Nothing of ${plainLine(stranger)} was found.`])
    else await output.lines(receiptLines(receipt))
    return stranger === undefined ? undefined : 'missing'
  },
})

interface Plan {
  question: string
  erase(): Promise<ErasedHere>
}

async function planOf(holdfast: Place, text: string | undefined, options: Options): Promise<Plan> {
  const { user, seqs, message } = options
  const terms = options.reason === undefined ? {} : { reason: options.reason }
  if ([user, seqs, message].filter((given) => given !== undefined).length !== 1) {
    throw new HoldfastError('invalid_input', 'say one of --user <id>, --seqs <seqs> and --message <id>.')
  }
  if (user !== undefined) {
    if (text !== undefined) throw new HoldfastError('invalid_input', '--user takes no session.')
    return {
      question: `Forget ${user} in every session, for good?`,
      erase: () => holdfast.eraseUser(user, terms),
    }
  }
  if (text === undefined) throw new HoldfastError('invalid_input', 'say which session: holdfast erase <id> …')
  const id = await resolveId(holdfast, text)
  if (message !== undefined) {
    return {
      question: `Erase message ${message} of ${id}, for good?`,
      erase: () => holdfast.sessions.eraseMessage(id, message, terms),
    }
  }
  return {
    question: `Erase ${count(seqs?.length ?? 0, 'event')} of ${id}, for good?`,
    erase: () => holdfast.sessions.erase(id, seqs ?? [], terms),
  }
}

/** What was left, for a hold or as damaged, may be theirs too. */
function isEmpty({ events, sessions, deletedSessions, held, damaged }: ErasedHere): boolean {
  return events + sessions + deletedSessions === 0 && !held && !damaged
}

const mostSeqs = 100_000

/** 12,40-44 */
function seqList(text: string): number[] {
  const seqs = text.split(',').flatMap((part) => {
    const [, from = '', to = from] = /^\s*(\d{1,15})(?:-(\d{1,15}))?\s*$/.exec(part) ?? []
    const length = from === '' ? 0 : Number(to) - Number(from) + 1
    if (length < 1 || length > mostSeqs) throw new InvalidArgumentError('Expected seqs: 12 or 12,40-44.')
    return Array.from({ length }, (_, n) => Number(from) + n)
  })
  return [...new Set(seqs)]
}

export function receiptLines(receipt: ErasedHere): string[] {
  const { events, sessions, deletedSessions, held, damaged, finalAt, outside } = receipt
  return [
    `Erased ${count(events, 'event')} in ${count(sessions, 'session')}.`,
    ...(deletedSessions > 0 ? [`Deleted ${count(deletedSessions, 'session')} whole.`] : []),
    ...(held ? [`Left under a legal hold: ${held.join(', ')}. Lift it and erase again.`] : []),
    ...(damaged ? [`Left as damaged: ${damaged.join(', ')}. Restore them and erase again.`] : []),
    finalAt === undefined ? 'Not final yet.' : `Final since ${finalAt}: nothing here has the bytes any more.`,
    'Beyond reach:',
    ...outside.map((place) => `  ${place}`),
  ]
}
