/** Views as a careless builder would make them. Every provider must refuse each kind. */
import type { ProviderMessage } from '@holdfast/core'

type View = readonly ProviderMessage[]

const breaks: Record<string, (view: View) => View> = {
  '': (view) => view,
  /** A result that stands in the log is left out. */
  dropped: (view) => view.filter((message) => !answersWith(message, ['ok'])),
  /** A call that nobody answered is left as it is. */
  open: (view) => view.filter((message) => !answersWith(message, ['unknown'])),
  /** A result is told twice. */
  doubled: (view) => view.flatMap((message) => (message.role === 'tool' ? [message, message] : [message])),
}

export function breakView(kind: string, view: View): View {
  const broken = breaks[kind]
  if (!broken) throw new Error(`--planted is one of ${Object.keys(breaks).join(' ')}, not ${kind}`)
  return broken(view)
}

function answersWith({ role, parts }: ProviderMessage, outcomes: readonly string[]): boolean {
  return (
    role === 'tool' && parts.some((part) => part.type === 'tool_result' && outcomes.includes(part.outcome))
  )
}
