/** Answers that are written bit by bit, and where their bytes go. */

export interface Sink {
  /** Resolves when it can take more; undefined: at once. */
  write(chunk: Uint8Array): Promise<void> | undefined
  /** Whoever waits until it can take more waits no longer. */
  release(): void
  end(): void
  /** Ends so that whoever reads can tell that it is not all. */
  breakOff(): void
}

export interface Sending {
  /** The end of the connection is its end: its bytes need no chunks around them, and cannot be told from a part of them. */
  readonly endsConnection: boolean
  /** Resolves when it is over. */
  sendTo(sink: Sink): Promise<void>
  /** The same for whoever pulls. */
  readable(): ReadableStream<Uint8Array>
  /** The reader has gone. */
  leave(): void
}
