/** Time as the coalescer sees it: handed in, so that a test moves it by hand. */

export interface Clock {
  /** Milliseconds on the clock of `performance.now()`. */
  now(): number
  /** Runs when what arrived together has been looked at. */
  afterTurn(run: () => void): void
  /** Runs once after `ms`, a whole number; returns what `clearTimer` takes. */
  setTimer(run: () => void, ms: number): unknown
  clearTimer(timer: unknown): void
}

export const SYSTEM_CLOCK: Clock = Object.freeze({
  now: () => performance.now(),
  afterTurn: (run: () => void) => void setImmediate(run),
  setTimer: (run: () => void, ms: number) => setTimeout(run, ms),
  clearTimer: (timer: unknown) => clearTimeout(timer as ReturnType<typeof setTimeout>), // setTimer's
})
