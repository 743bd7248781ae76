/** A stream that fails loses what waits in it: what was given before is read first, as it would be over a network. */
export function whenRead(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
