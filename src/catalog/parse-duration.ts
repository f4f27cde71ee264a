/** `24h`, `15m`, `1.5s`: a length of time as people write it. */
import { TIME_US_MAX } from '../base/limits.ts'

const UNITS_US: ReadonlyMap<string, number> = new Map([
  ['ms', 1_000],
  ['s', 1_000_000],
  ['m', 60_000_000],
  ['h', 3_600_000_000],
  ['d', 86_400_000_000],
  ['w', 604_800_000_000],
])

export const DURATION_ALLOWED = 'a length such as 500ms, 90s, 15m, 24h, 7d or 2w, or seconds'

const DURATION = /^(\d{1,16}(?:\.\d{1,6})?) ?(ms|s|m|h|d|w)?$/

/** Microseconds; undefined for what is no length of time, is negative or passes 285 years. */
export function parseDurationUs(found: unknown): number | undefined {
  if (typeof found !== 'string' && typeof found !== 'number') return undefined
  const match = DURATION.exec(String(found))
  if (match === null) return undefined
  const us = Math.round(Number(match[1]) * (UNITS_US.get(match[2] ?? 's') ?? 0))
  return us <= TIME_US_MAX ? us : undefined
}

/** The same length in the largest unit that keeps it whole. */
export function durationText(us: number): string {
  for (const [unit, unitUs] of [...UNITS_US].reverse()) {
    if (us % unitUs === 0 && us >= unitUs) return `${us / unitUs}${unit}`
  }
  return `${us / 1_000_000}s`
}
