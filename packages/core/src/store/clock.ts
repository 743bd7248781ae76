/** The platform's clock, for stores that were not handed another one. */
export function systemClock(): number {
  return Date.now()
}

/** Milliseconds since some moment, in fractions: for how long something took. */
export function elapsed(): number {
  return performance.now()
}
