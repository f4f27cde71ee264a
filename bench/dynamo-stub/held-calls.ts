/** Calls that wait for their time: two queues, of the usual delay and of the tail, each in order. */

/** Keys of one BatchGetItem. */
export const CALL_KEYS_MAX = 100
/** Calls held at the same time; more than any run has in flight. */
export const CALLS_MAX = 8192

export class HeldCalls<Caller> {
  /** Found items of the call in slot s: from s * CALL_KEYS_MAX. */
  readonly items = new Int32Array(CALLS_MAX * CALL_KEYS_MAX)
  readonly counts = new Uint8Array(CALLS_MAX)
  readonly dueUs = new Float64Array(CALLS_MAX)
  /** Digest of the call's keys: an equal one in flight is the same call again. */
  readonly digests = new Float64Array(CALLS_MAX)
  readonly callers: (Caller | undefined)[] = Array.from({ length: CALLS_MAX })
  readonly #free = Int32Array.from({ length: CALLS_MAX }, (_, slot) => slot)
  #freeCount = CALLS_MAX
  readonly #usual = new SlotQueue()
  readonly #tail = new SlotQueue()

  get held(): number {
    return CALLS_MAX - this.#freeCount
  }

  /** A slot to fill, or -1. */
  take(): number {
    return this.#freeCount === 0 ? -1 : this.#free[--this.#freeCount]!
  }

  giveBack(slot: number): void {
    this.callers[slot] = undefined
    this.#free[this.#freeCount++] = slot
  }

  hold(slot: number, isTail: boolean): void {
    if (isTail) this.#tail.push(slot)
    else this.#usual.push(slot)
  }

  /** The slot that is due first, taken out, if its time has come; or -1. */
  nextDue(nowUs: number): number {
    const usual = this.#usual.first
    const tail = this.#tail.first
    const usualUs = usual < 0 ? Infinity : this.dueUs[usual]!
    const tailUs = tail < 0 ? Infinity : this.dueUs[tail]!
    if (Math.min(usualUs, tailUs) > nowUs) return -1
    return usualUs <= tailUs ? this.#usual.shift() : this.#tail.shift()
  }
}

/** A ring of slots; there are never more than CALLS_MAX. */
class SlotQueue {
  readonly #slots = new Int32Array(CALLS_MAX)
  #at = 0
  #count = 0

  get first(): number {
    return this.#count === 0 ? -1 : this.#slots[this.#at]!
  }

  push(slot: number): void {
    this.#slots[(this.#at + this.#count++) % CALLS_MAX] = slot
  }

  shift(): number {
    const slot = this.#slots[this.#at]!
    this.#at = (this.#at + 1) % CALLS_MAX
    this.#count--
    return slot
  }
}
