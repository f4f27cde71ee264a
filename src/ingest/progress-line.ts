/** How far a run is: one line drawn again on a terminal, a line now and then in a log. */
import type { Progress } from './batch-lane.ts'

const TERMINAL_MS = 100
const LOG_MS = 5_000
const BAR_CELLS = 24

const COUNT = new Intl.NumberFormat('en-US')

export type ProgressLine = {
  readonly show: (progress: Progress) => void
  /** Takes the line off the terminal, so that what follows begins on a clean one. */
  readonly clear: () => void
}

export function progressLine(
  name: string,
  write: (text: string) => void,
  isTerminal: boolean,
): ProgressLine {
  const startMs = performance.now()
  let shownMs = isTerminal ? -Infinity : startMs
  let isDrawn = false
  return {
    show: (progress) => {
      const nowMs = performance.now()
      if (nowMs - shownMs < (isTerminal ? TERMINAL_MS : LOG_MS)) return
      shownMs = nowMs
      const text = progressText(name, progress, (nowMs - startMs) / 1000, isTerminal)
      write(isTerminal ? `\r\x1b[2K${text}` : `${text}\n`)
      isDrawn = isTerminal
    },
    clear: () => {
      if (isDrawn) write('\r\x1b[2K')
      isDrawn = false
    },
  }
}

function progressText(
  name: string,
  { rows, fraction, rejected }: Progress,
  seconds: number,
  isTerminal: boolean,
): string {
  const parts = [`${COUNT.format(rows)} rows`]
  if (seconds > 0) parts.push(`${COUNT.format(Math.round(rows / seconds))} rows/s`)
  if (rejected > 0) parts.push(`${COUNT.format(rejected)} rejected`)
  const left = fraction > 0 ? (seconds / fraction) * (1 - fraction) : 0
  if (left >= 1) parts.push(`${Math.round(left)} s left`)
  const percent = `${Math.floor(fraction * 100)}%`.padStart(4)
  return `${name} ${isTerminal ? `${bar(fraction)} ` : ''}${percent}  ${parts.join(', ')}`
}

function bar(fraction: number): string {
  const full = Math.round(fraction * BAR_CELLS)
  return `[${'#'.repeat(full)}${'-'.repeat(BAR_CELLS - full)}]`
}
