/** The one table of errors. Code, HTTP status and retry advice live here; everything else is derived. */

/**
 * What the caller should do with the same request:
 * `never` it will fail again; `reload` read the current state and decide anew;
 * `later` send the same request (with the same idempotency key) again after a pause.
 */
export type RetryAdvice = 'never' | 'reload' | 'later'

interface ErrorEntry {
  status: number
  retry: RetryAdvice
  meaning: string
}

export const errorCatalogue = {
  invalid_input: {
    status: 400,
    retry: 'never',
    meaning: 'The input breaks a rule of its schema or of the scanner.',
  },
  invalid_cursor: {
    status: 400,
    retry: 'never',
    meaning: 'The cursor was not made by this operation with these filters.',
  },
  limit_exceeded: {
    status: 413,
    retry: 'never',
    meaning: 'A size, depth or count is over its row in the limits table.',
  },
  unauthenticated: {
    status: 401,
    retry: 'never',
    meaning: 'The request names no key, or one that is unknown, expired or revoked.',
  },
  forbidden: {
    status: 403,
    retry: 'never',
    meaning: 'The key lacks the scope, or the server takes no such request from where it comes.',
  },
  rate_limited: {
    status: 429,
    retry: 'later',
    meaning:
      'The key or its tenant asks more often, or its tenant writes more, than it may; `Retry-After` says when there is room.',
  },
  not_found: { status: 404, retry: 'never', meaning: 'Nothing with this id exists for this tenant.' },
  unknown_route: { status: 404, retry: 'never', meaning: 'The server has no such path.' },
  method_not_allowed: { status: 405, retry: 'never', meaning: 'The path exists, but not with this method.' },
  unsupported_media_type: {
    status: 415,
    retry: 'never',
    meaning: 'The body is of a type that this operation does not take.',
  },
  range_not_satisfiable: {
    status: 416,
    retry: 'never',
    meaning: 'The file ends before the range that was asked for; `Content-Range` has its size.',
  },
  id_taken: {
    status: 409,
    retry: 'never',
    meaning: 'A session with this id exists, or existed and was deleted.',
  },
  duplicate_id: { status: 409, retry: 'never', meaning: 'A chosen id inside the session was used before.' },
  version_conflict: { status: 412, retry: 'reload', meaning: 'The session moved past the expected version.' },
  key_conflict: {
    status: 422,
    retry: 'never',
    meaning: 'The idempotency key was used with another request.',
  },
  contention: { status: 409, retry: 'later', meaning: 'Other writers kept winning; nothing was written.' },
  session_closed: { status: 409, retry: 'never', meaning: 'The session is closed; fork it to continue.' },
  session_expired: {
    status: 409,
    retry: 'never',
    meaning: 'The session is past its expiry; fork it to continue.',
  },
  session_read_only: {
    status: 409,
    retry: 'never',
    meaning: 'The log holds a critical event that this version does not know.',
  },
  illegal_transition: { status: 409, retry: 'reload', meaning: 'The state does not permit this operation.' },
  run_live: {
    status: 409,
    retry: 'later',
    meaning: 'A run is live or suspended and the operation needs it to end first.',
  },
  no_live_run: {
    status: 409,
    retry: 'reload',
    meaning: 'The operation belongs to a live run and there is none.',
  },
  no_agent: {
    status: 409,
    retry: 'never',
    meaning: 'The agent of the session does not work in this server.',
  },
  run_elsewhere: { status: 409, retry: 'later', meaning: 'The live run belongs to another process.' },
  lease_held: { status: 409, retry: 'later', meaning: 'Another owner holds the lease and it is not lost.' },
  stale_epoch: { status: 409, retry: 'never', meaning: 'The lease was taken over; this worker must stop.' },
  model_locked: {
    status: 409,
    retry: 'never',
    meaning: 'The model is locked to the session since its activation.',
  },
  call_not_open: { status: 409, retry: 'never', meaning: 'No tool call with this id waits for a result.' },
  calls_open: { status: 409, retry: 'reload', meaning: 'Tool calls without a result must be closed first.' },
  fork_inside_round: {
    status: 409,
    retry: 'never',
    meaning: 'The position parts a tool call from its result.',
  },
  fork_too_deep: {
    status: 409,
    retry: 'never',
    meaning: 'The fork would have more segments than the limit.',
  },
  has_forks: {
    status: 409,
    retry: 'never',
    meaning: 'Other sessions are based on this one; delete with cascade.',
  },
  session_held: {
    status: 409,
    retry: 'never',
    meaning: 'The session is under a legal hold; release it before anything of it is deleted or erased.',
  },
  session_pinned: { status: 409, retry: 'never', meaning: 'The session is pinned; unpin it or use force.' },
  nothing_to_undo: { status: 409, retry: 'never', meaning: 'No user message is left to undo.' },
  nothing_to_redo: {
    status: 409,
    retry: 'never',
    meaning: 'Nothing was undone, or something was appended since.',
  },
  not_on_path: { status: 409, retry: 'reload', meaning: 'The position is not on the visible path.' },
  question_open: { status: 409, retry: 'later', meaning: 'A question is already open.' },
  question_not_open: { status: 409, retry: 'never', meaning: 'This question is not the open one.' },
  invalid_answer: {
    status: 422,
    retry: 'never',
    meaning: 'The answer does not fit the question, which stays open.',
  },
  no_task_list: { status: 404, retry: 'never', meaning: 'The session has no task list.' },
  no_such_task: { status: 404, retry: 'never', meaning: 'The task list has no such item.' },
  budget_exceeded: {
    status: 409,
    retry: 'never',
    meaning: 'The upper bound is more than what remains of the budget.',
  },
  price_unknown: {
    status: 409,
    retry: 'never',
    meaning: 'A money budget is set and the model has no known price.',
  },
  reservation_not_open: { status: 409, retry: 'never', meaning: 'No reservation with this id is open.' },
  child_not_open: { status: 409, retry: 'never', meaning: 'No open child session with this id.' },
  context_unreducible: {
    status: 409,
    retry: 'never',
    meaning: 'What must stay in the context is more than the model has room for.',
  },
  path_changed: { status: 409, retry: 'reload', meaning: 'The path that was summarised has changed.' },
  invalid_compaction: { status: 422, retry: 'never', meaning: 'The summary or its range fails validation.' },
  view_incomplete: {
    status: 422,
    retry: 'never',
    meaning: 'The session lacks a fact that this view requires.',
  },
  draft_gap: { status: 409, retry: 'reload', meaning: 'The draft chunk does not follow the last one.' },
  reader_stalled: {
    status: 503,
    retry: 'later',
    meaning:
      'The reader of a stream took nothing for too long; connect again, and follow on from the `cursor` in the details.',
  },
  server_busy: {
    status: 503,
    retry: 'later',
    meaning:
      'The server holds as many bytes of files as it may, and none was let go of in time; nothing was done.',
  },
  server_draining: {
    status: 503,
    retry: 'later',
    meaning: 'The server is stopping; connect again, and follow on from the last cursor.',
  },
  server_unreachable: {
    status: 503,
    retry: 'later',
    meaning: 'The client got no answer; whether the request had its effect is unknown.',
  },
  server_failed: {
    status: 500,
    retry: 'never',
    meaning: 'A fault of the server itself; its log has it under the request id.',
  },
  store_busy: {
    status: 503,
    retry: 'later',
    meaning: 'The store stayed locked by another process past its timeout.',
  },
  store_full: { status: 507, retry: 'later', meaning: 'The disk or quota is full; nothing was written.' },
  store_unavailable: { status: 503, retry: 'later', meaning: 'The store failed; nothing was written.' },
  commit_unknown: {
    status: 503,
    retry: 'later',
    meaning: 'The store failed while committing; the outcome is unknown.',
  },
  store_corrupt: {
    status: 500,
    retry: 'never',
    meaning: 'A stored record fails its checksum or cannot be read.',
  },
  store_closed: { status: 500, retry: 'never', meaning: 'The store was closed before this call.' },
  store_unsupported: {
    status: 500,
    retry: 'never',
    meaning: 'The engine or schema version cannot be used safely.',
  },
} as const satisfies Record<string, ErrorEntry>

export type ErrorCode = keyof typeof errorCatalogue

export interface ErrorOptions {
  /** Facts a program can act on: ids, sizes, the legal alternatives. Never message content. */
  details?: Record<string, unknown>
  cause?: unknown
}

/** The one error class. `code` is stable; `message` says what happened, to which id, and what to do next. */
export class HoldfastError extends Error {
  override readonly name = 'HoldfastError'
  readonly code: ErrorCode
  readonly details: Record<string, unknown>

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined)
    this.code = code
    this.details = options.details ?? {}
  }

  /** HTTP status of this code. */
  get status(): number {
    return errorCatalogue[this.code].status
  }

  get retry(): RetryAdvice {
    return errorCatalogue[this.code].retry
  }
}

export function isHoldfastError(error: unknown, code?: ErrorCode): error is HoldfastError {
  return error instanceof HoldfastError && (code === undefined || error.code === code)
}
