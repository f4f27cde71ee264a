/** How long recent calls took: a sliding window over the last of them, in buckets 4 % apart. */
import { CALL_TIMES_KEPT, CALL_TIMES_MIN } from '../../base/limits.ts'

const BUCKETS = 256
const BUCKET_MS_FIRST = 0.25
const LOG_STEP = Math.log(1.04)
/** The slow end is looked for again after so many calls. */
const REFRESH_CALLS = 16
const SLOW_SHARE = 0.02

export class CallTimes {
  /** Bucket of each of the last calls, and how many calls each bucket holds. */
  readonly #recent = new Uint8Array(CALL_TIMES_KEPT)
  readonly #counts = new Uint16Array(BUCKETS)
  #calls = 0
  #slowMs = Infinity

  add(ms: number): void {
    const at = this.#calls % CALL_TIMES_KEPT
    if (this.#calls >= CALL_TIMES_KEPT) this.#counts[this.#recent[at]!]!--
    const bucket = bucketOf(ms)
    this.#recent[at] = bucket
    this.#counts[bucket]!++
    this.#calls++
    if (this.#calls >= CALL_TIMES_MIN && this.#calls % REFRESH_CALLS === 0) this.#refresh()
  }

  /** The 98th percentile of the recent calls; Infinity while there are too few to tell. */
  get slowMs(): number {
    return this.#slowMs
  }

  #refresh(): void {
    const slowCalls = Math.floor(Math.min(this.#calls, CALL_TIMES_KEPT) * SLOW_SHARE)
    let bucket = BUCKETS - 1
    let slower = this.#counts[bucket]!
    while (slower <= slowCalls) slower += this.#counts[--bucket]!
    this.#slowMs = BUCKET_MS_FIRST * Math.exp(LOG_STEP * (bucket + 1))
  }
}

function bucketOf(ms: number): number {
  const bucket = Math.floor(Math.log(ms / BUCKET_MS_FIRST) / LOG_STEP)
  return Math.min(Math.max(bucket, 0), BUCKETS - 1)
}
