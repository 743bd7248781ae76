/** `holdfast diff`: two branches, from where they part. */
import { command, examples } from '../command.ts'
import { readBranch } from '../diff/branch.ts'
import { diffReport } from '../diff/diff-report.ts'
import { resolveId } from '../sessions/resolve-id.ts'
import { paged } from '../terminal/pager.ts'

interface Options {
  pager?: false
}

const widest = 110
const widthOfPipe = 100

export const diffCommand = command<Options>({
  define(command) {
    command.option('--no-pager', 'straight to the terminal')
    examples(command, [['holdfast diff 3768e8c2 90cb2d11', 'a session and its fork, or two forks']])
  },
  async run(context, [first = '', second = ''], options) {
    const { output, world } = context
    const holdfast = await context.place()
    const [ours, theirs] = [await resolveId(holdfast, first), await resolveId(holdfast, second)]
    const { commonSeq } = await (await holdfast.sessions.open(ours)).compare(theirs)
    const compared = {
      commonSeq,
      ours: await readBranch(holdfast, ours, commonSeq),
      theirs: await readBranch(holdfast, theirs, commonSeq),
    }
    if (output.wantsData) {
      await output.one(compared)
      return undefined
    }
    const { pager } = await context.settings()
    const width = Math.min(output.width ?? widthOfPipe, widest)
    const lines = (async function* () {
      yield* diffReport(compared, { style: output.style, width, wholeIds: !output.isTerminal })
    })()
    await paged(world, output, lines, { pager: options.pager === false ? '' : pager })
    return undefined
  },
})
