/** A clock moved by hand: time stands still, turns do not end and timers do not fire until told to. */
import type { Clock } from '../../../src/store/coalesce/clock.ts'

type Timer = { readonly run: () => void; readonly atMs: number; readonly order: number }

export class DrivenClock implements Clock {
  #nowMs = 1000
  #turns: (() => void)[] = []
  readonly #timers = new Set<Timer>()
  #timersSet = 0

  now(): number {
    return this.#nowMs
  }

  afterTurn(run: () => void): void {
    this.#turns.push(run)
  }

  setTimer(run: () => void, ms: number): Timer {
    const timer = { run, atMs: this.#nowMs + ms, order: this.#timersSet++ }
    this.#timers.add(timer)
    return timer
  }

  clearTimer(timer: unknown): void {
    this.#timers.delete(timer as Timer) // setTimer's
  }

  get timers(): number {
    return this.#timers.size
  }

  /** Ends the turn, and lets what was promised by then happen. */
  async endTurn(): Promise<void> {
    await promisesKept()
    for (const run of this.#turns.splice(0)) run()
    await promisesKept()
  }

  /** Moves time on, to each timer in between, and ends a turn at each. */
  async pass(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms
    await this.endTurn()
    for (let timer = this.#first(untilMs); timer !== undefined; timer = this.#first(untilMs)) {
      this.#timers.delete(timer)
      this.#nowMs = Math.max(this.#nowMs, timer.atMs)
      timer.run()
      await this.endTurn()
    }
    this.#nowMs = untilMs
  }

  #first(untilMs: number): Timer | undefined {
    let first: Timer | undefined
    for (const timer of this.#timers) {
      if (timer.atMs > untilMs) continue
      if (first === undefined || timer.atMs < first.atMs) first = timer
      else if (timer.atMs === first.atMs && timer.order < first.order) first = timer
    }
    return first
  }
}

/** Every promise that can resolve without the world outside has resolved. */
export const promisesKept = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
