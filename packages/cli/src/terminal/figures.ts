/** Numbers, money, bytes and times as a person reads them. */

/** 812, 12.3k, 4.56M. */
export function shortCount(count: number): string {
  if (count < 1_000) return String(count)
  for (const [size, unit] of [
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ] as const) {
    if (count >= size * 0.9995) return `${(count / size).toPrecision(3)}${unit}`
  }
  return String(count)
}

export function count(value: number, one: string, many = `${one}s`): string {
  return `${value.toLocaleString('en')} ${value === 1 ? one : many}`
}

interface Cost {
  costMicrocents: number
  /** Attempts whose cost is not in the sum. */
  costUnknown: number
}

/** Micro-cents as dollars. A sum that misses some attempts is a lower bound; one that misses all is unknown. */
export function money({ costMicrocents, costUnknown }: Cost): string {
  if (costMicrocents === 0 && costUnknown > 0) return 'unknown'
  return (costUnknown > 0 ? '≥' : '') + dollars(costMicrocents)
}

export function dollars(microcents: number): string {
  const value = Math.abs(microcents) / 1e8
  const sign = microcents < 0 ? '-' : ''
  return `${sign}$${value.toFixed(value === 0 || value >= 100 ? 2 : value >= 0.01 ? 3 : 4)}`
}

export function bytes(value: number): string {
  if (value < 1_024) return `${value} B`
  const units = ['KiB', 'MiB', 'GiB', 'TiB']
  const power = Math.min(Math.floor(Math.log2(value) / 10), units.length)
  return `${(value / 1_024 ** power).toPrecision(3)} ${units[power - 1]}`
}

/** 4 s, 2 min 05 s, 3 h 20 min. */
export function duration(ms: number): string {
  const seconds = Math.round(ms / 1_000)
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min ${String(seconds % 60).padStart(2, '0')} s`
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`
}

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

/** How long ago, and the date once that is more than a week. */
export function ago(time: string, nowMs: number): string {
  const past = nowMs - Date.parse(time)
  if (past < minute) return 'just now'
  if (past < hour) return `${Math.floor(past / minute)} min ago`
  if (past < day) return `${Math.floor(past / hour)} h ago`
  if (past < 7 * day) return `${Math.floor(past / day)} d ago`
  return time.slice(0, 10)
}

/** UTC, to the minute. */
export function moment(time: string): string {
  return `${time.slice(0, 10)} ${time.slice(11, 16)}`
}
