/** Which of a run's rows with one key and one event time counts: the one that was created last. */
import { isLaterInRun } from '../row/order-rule.ts'
import { RunKeys } from './run-keys.ts'

/**
 * For sources that declare a created time: stores do not keep it, so the run has to remember it.
 * Event times alone need no memory: the store's own rule sees to them.
 */
export class CreatedTimes {
  readonly #keys = new RunKeys()

  /** False for a row that loses to one of this run that came before it. `createdUs` NaN: unknown. */
  offer(
    keys: Uint8Array,
    keyStart: number,
    keyBytes: number,
    timeUs: number,
    createdUs: number,
  ): boolean {
    const slot = this.#keys.slotOf(keys, keyStart, keyBytes)
    const { first: times, second: created } = this.#keys
    const isLater =
      this.#keys.isNew || isLaterInRun(times[slot]!, created[slot]!, timeUs, createdUs)
    if (!isLater) return false
    times[slot] = timeUs
    created[slot] = createdUs
    return true
  }
}
