/** The platform's clock, for stores that were not handed another one. */
export function systemClock(): number {
  return Date.now()
}
