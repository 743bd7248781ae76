import { type ErrorCode, errorCatalogue, type RetryAdvice } from './errors.ts'

const advice: Record<RetryAdvice, string> = {
  never: 'never: the same request will fail again',
  reload: 'reload: read the current state and decide anew',
  later: 'later: send the same request, with the same idempotency key, after a pause',
}

/** `ERRORS.md`: a section for every code of the catalogue. */
export function errorsDoc(): string {
  return `${head()}\n${(Object.keys(errorCatalogue) as ErrorCode[]).map(section).join('\n')}`
}

function head(): string {
  return `# Errors

Every failure is one \`HoldfastError\` with a \`code\`.
Act on the code; a status is shared by several. Written by \`npm run schemas\` from \`src/errors.ts\`; do not edit.
`
}

function section(code: ErrorCode): string {
  const { status, retry, meaning } = errorCatalogue[code]
  return `## ${code}

${meaning}

- Status: ${status}
- Retry: ${advice[retry]}
`
}
