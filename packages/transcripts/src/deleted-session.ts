/** The session of that name was deleted here: what its source tells is not brought back. A key may also just not see it. */
export class DeletedSession extends Error {
  constructor(sessionId: string, cause: unknown) {
    super(`session ${sessionId} was deleted`, { cause })
  }
}

/** As a report counts them. */
export const deletedSessions = 'conversations whose sessions were deleted here, or may not be seen'
