/** The platform's randomness, for hosts that hand in none. */
export function systemRandom(): number {
  return Math.random()
}
