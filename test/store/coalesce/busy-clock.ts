/** A clock of a thread whose work takes time: what arrives meanwhile is looked at in the next turn. */
import type { Clock } from '../../../src/store/coalesce/clock.ts'
import { promisesKept } from './driven-clock.ts'

type Arrival = { readonly run: () => void; readonly atMs: number }

export class BusyClock implements Clock {
  #nowMs = 0
  #spentMs = 0
  readonly #turns: (() => void)[] = []
  readonly #arrivals = new Set<Arrival>()

  now(): number {
    return this.#nowMs
  }

  /** The thread works for so long in this turn. */
  spend(ms: number): void {
    this.#spentMs += ms
  }

  afterTurn(run: () => void): void {
    this.#turns.push(run)
  }

  setTimer(run: () => void, ms: number): Arrival {
    const arrival = { run, atMs: this.#nowMs + this.#spentMs + ms }
    this.#arrivals.add(arrival)
    return arrival
  }

  clearTimer(timer: unknown): void {
    this.#arrivals.delete(timer as Arrival) // setTimer's
  }

  /** Turn after turn, until nothing is to come. */
  async runOut(): Promise<void> {
    while (this.#arrivals.size > 0) {
      const firstMs = [...this.#arrivals].reduce((ms, { atMs }) => Math.min(ms, atMs), Infinity)
      this.#nowMs = Math.max(this.#nowMs, firstMs)
      await this.#turn()
    }
  }

  async #turn(): Promise<void> {
    const arrived = [...this.#arrivals].filter(({ atMs }) => atMs <= this.#nowMs)
    for (const arrival of arrived.toSorted((left, right) => left.atMs - right.atMs)) {
      this.#arrivals.delete(arrival)
      arrival.run()
    }
    await promisesKept()
    for (const run of this.#turns.splice(0)) run()
    await promisesKept()
    this.#nowMs += this.#spentMs
    this.#spentMs = 0
  }
}
