/** Things that are due at a time, with one timer for the earliest: a heap that knows each one's place. */
import type { Clock } from './clock.ts'

export interface Due {
  dueMs: number
  /** Place in the heap, NOT_QUEUED outside; the queue's own. */
  dueAt: number
}

export const NOT_QUEUED = -1

/** A timer's delay is 31 bits; one this long is simply set again. */
const TIMER_MS_MAX = 60_000

export class DueQueue<T extends Due> {
  readonly #clock: Clock
  readonly #wake: () => void
  readonly #heap: T[] = []
  #timer: unknown = undefined
  #timerMs = Infinity

  /** `wake` is called when something is due: it takes all that is, and then calls `arm`. */
  constructor(clock: Clock, wake: () => void) {
    this.#clock = clock
    this.#wake = () => {
      this.#timer = undefined
      this.#timerMs = Infinity
      wake()
    }
  }

  add(item: T, dueMs: number): void {
    item.dueMs = dueMs
    this.#rise(item, this.#heap.push(item) - 1)
    if (dueMs < this.#timerMs) this.arm()
  }

  /** Does nothing for one that is not queued. */
  remove(item: T): void {
    if (item.dueAt === NOT_QUEUED) return
    this.#takeOut(item)
    // A timer that is too early is left alone: to move it each time would cost more than its waking.
    if (this.#heap.length === 0) this.arm()
  }

  take(nowMs: number): T | undefined {
    const first = this.#heap[0]
    if (first === undefined || first.dueMs > nowMs) return undefined
    this.#takeOut(first)
    return first
  }

  /** Sets the timer for what is due first, or none. */
  arm(): void {
    if (this.#timer !== undefined) this.#clock.clearTimer(this.#timer)
    this.#timer = undefined
    this.#timerMs = Infinity
    const first = this.#heap[0]
    if (first === undefined) return
    const delayMs = Math.ceil(first.dueMs - this.#clock.now())
    this.#timerMs = first.dueMs
    this.#timer = this.#clock.setTimer(this.#wake, Math.min(Math.max(delayMs, 0), TIMER_MS_MAX))
  }

  #takeOut(item: T): void {
    const at = item.dueAt
    item.dueAt = NOT_QUEUED
    const last = this.#heap.pop()!
    if (last !== item) this.#place(last, at)
  }

  #place(item: T, at: number): void {
    const parent = (at - 1) >> 1
    if (at > 0 && this.#heap[parent]!.dueMs > item.dueMs) this.#rise(item, at)
    else this.#sink(item, at)
  }

  #rise(item: T, from: number): void {
    const heap = this.#heap
    let at = from
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = heap[parent]!
      if (above.dueMs <= item.dueMs) break
      heap[at] = above
      above.dueAt = at
      at = parent
    }
    heap[at] = item
    item.dueAt = at
  }

  #sink(item: T, from: number): void {
    const heap = this.#heap
    let at = from
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && heap[child + 1]!.dueMs < heap[child]!.dueMs) child++
      const below = heap[child]!
      if (below.dueMs >= item.dueMs) break
      heap[at] = below
      below.dueAt = at
      at = child
    }
    heap[at] = item
    item.dueAt = at
  }
}
