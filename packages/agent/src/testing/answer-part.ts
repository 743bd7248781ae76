/** What an answer is made of, whoever gives it. */
export type AnswerPart =
  | { type: 'text'; text: string }
  | { type: 'reasoning'; text: string; signature: string; encrypted: string }
  /** `arguments` is JSON, unless the fault broke it. */
  | { type: 'tool_call'; callId: string; name: string; arguments: string }
