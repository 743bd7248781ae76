/** An independent check of the pairing rule: in a provider view each call is answered exactly once, directly after it. */

export interface Turn {
  role: string
  /** Ids of the calls that the turn makes, and of those that it answers. */
  calls: readonly string[]
  answers: readonly string[]
}

export function pairingProblems(view: readonly Turn[]): string[] {
  const problems: string[] = []
  const seen = new Set<string>()
  let open: string[] = []
  for (const [place, { role, calls, answers }] of view.entries()) {
    for (const id of answers) {
      if (!open.includes(id)) problems.push(`turn ${place} answers ${id}, which is not open there`)
      open = open.filter((other) => other !== id)
    }
    if (answers.length === 0 && open.length > 0) {
      problems.push(`turn ${place} (${role}) comes before the answers to ${open.join(', ')}`)
      open = []
    }
    for (const id of calls) {
      if (seen.has(id)) problems.push(`call ${id} is made twice`)
      seen.add(id)
    }
    open.push(...calls)
  }
  return open.length > 0 ? [...problems, `the view ends without the answers to ${open.join(', ')}`] : problems
}
