/**
 * The one table of limits. Sizes are UTF-8 bytes unless the name says otherwise; depths count nested arrays and
 * objects. Passing a limit is `limit_exceeded` with `details: {limit, max, actual}`, and nothing is written. Otherwise:
 * too many `forkSegments` are `fork_too_deep`, spent `commitTries` are `contention`; a longer page than `pageItems`,
 * `pageBytes` or `listScanRows` ends early; a walk along the ledger takes `ledgerRows` at a step; `asideBytes`, `waypointEvents`, `searchIndexBytes` and `keyTtlMs` refuse nothing.
 */
export const limits = {
  /** One event body as JSON text. */
  eventBytes: 4 * 1024 * 1024,
  /** All event bodies of one commit. */
  commitBytes: 16 * 1024 * 1024,
  /** Events in one commit. */
  commitEvents: 2_000,
  /** Nesting of any JSON input. */
  jsonDepth: 64,
  /** Keys and array items of any one JSON input. */
  jsonNodes: 200_000,
  /** Parts in one message. */
  messageParts: 512,
  /** Tool calls without a result. */
  openCalls: 128,
  /** User messages that wait for a live run to take them in. */
  waitingInputs: 64,
  /** Session metadata as JSON text. */
  metadataBytes: 16 * 1024,
  titleBytes: 512,
  goalBytes: 16 * 1024,
  instructionsBytes: 16 * 1024,
  promptBytes: 512 * 1024,
  taskItems: 200,
  taskListBytes: 256 * 1024,
  questionBytes: 64 * 1024,
  questionOptions: 64,
  openChildren: 64,
  spawnDepth: 8,
  openReservations: 32,
  /** Active compaction overlays. */
  overlays: 64,
  /** Segments that a fork may be read from. */
  forkSegments: 64,
  /** One attachment body. */
  attachmentBytes: 16 * 1024 * 1024,
  /** Bodies from this size on are kept beside the event row. */
  asideBytes: 8 * 1024,
  /** Text of one draft chunk. */
  draftChunkBytes: 64 * 1024,
  /** All chunks of one draft. */
  draftBytes: 4 * 1024 * 1024,
  /** Stored record (agent, persona, seed …) as JSON text. */
  recordBytes: 256 * 1024,
  /** Price book as JSON text: thousands of models. */
  priceBookBytes: 1024 * 1024,
  /** Any sum over the ledger, and any counter of a session: what a number holds exactly. */
  sum: Number.MAX_SAFE_INTEGER,
  /** One line of a transcript; a longer one is reported and passed over. */
  lineBytes: 16 * 1024 * 1024,
  checkpointChannels: 1_024,
  /** Page of events, messages or sessions. */
  pageItems: 1_000,
  /** Bytes of event bodies in one page; a page has at least one event. */
  pageBytes: 4 * 1024 * 1024,
  /** Rows that one filtered list page may look at. */
  listScanRows: 2_000,
  /** Rows of the ledger that the store looks at, or adds up, in one call. */
  ledgerRows: 10_000,
  /** Bytes of pending text that one search indexes before it answers. */
  searchIndexBytes: 4 * 1024 * 1024,
  searchQueryBytes: 1_024,
  /** Tries of a write whose base kept moving. */
  commitTries: 16,
  /** Events between two kept heads. */
  waypointEvents: 1_000,
  /** Life of an idempotency key, in milliseconds. */
  keyTtlMs: 24 * 60 * 60 * 1_000,
  /** Longest `ttlSecs`: 100 years. */
  ttlSecs: 3_153_600_000,
  leaseTtlMs: 10 * 60 * 1_000,
} as const

export type LimitName = keyof typeof limits
