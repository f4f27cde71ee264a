/** One request that waits for keys: its batch, and where it stands in the lists. */
import { WAITER_PLACES_KEPT_MAX } from '../../base/limits.ts'
import type { ReadBatch } from '../read-batch.ts'
import type { Due } from './due-queue.ts'
import { NOT_QUEUED } from './due-queue.ts'
import { NONE } from './wait-lists.ts'

const PLACES_AT_FIRST = 128

/** Serves one request after another; its number stays. */
export class Waiter implements Due {
  readonly number: number
  dueMs = 0
  dueAt = NOT_QUEUED
  /** The request's; undefined when it has left. */
  batch: ReadBatch | undefined = undefined
  /** For each place of the batch its link, or NONE when it waits for nothing. */
  links = new Int32Array(PLACES_AT_FIRST)
  /** Places that wait. */
  waiting = 0
  #gone: AbortSignal | undefined = undefined
  #resolve: () => void = () => {}
  #reject: (cause: unknown) => void = () => {}
  readonly #onGone: () => void
  readonly #hold: (resolve: () => void, reject: (cause: unknown) => void) => void

  constructor(number: number, leave: (waiter: Waiter) => void) {
    this.number = number
    this.#onGone = () => leave(this)
    this.#hold = (resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    }
  }

  start(batch: ReadBatch): void {
    this.batch = batch
    this.waiting = 0
    if (batch.count > this.links.length) this.links = new Int32Array(batch.count)
    this.links.fill(NONE, 0, batch.count)
  }

  promise(gone: AbortSignal | undefined): Promise<void> {
    this.#gone = gone
    gone?.addEventListener('abort', this.#onGone)
    return new Promise(this.#hold)
  }

  /** From here on nothing writes to the batch. */
  leave(): void {
    this.#gone?.removeEventListener('abort', this.#onGone)
    this.#gone = undefined
    this.batch = undefined
    if (this.links.length > WAITER_PLACES_KEPT_MAX) this.links = new Int32Array(PLACES_AT_FIRST)
  }

  resolve(): void {
    this.#resolve()
  }

  reject(cause: unknown): void {
    this.#reject(cause)
  }
}
