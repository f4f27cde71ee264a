/** Names damage that the store meets while it is served: in the log once, as a warning from then on. */
import { DAMAGE_POLL_MS, STORE_STATS_MS_MAX } from '../base/limits.ts'
import { within } from '../base/within.ts'
import type { Counters } from '../http/counters.ts'
import { ROW_UNREADABLE } from '../http/counters.ts'
import type { Readiness } from '../http/readiness.ts'
import type { StoreStats } from '../store/store.ts'
import { counted } from './counted.ts'

export type DamageParts = {
  readonly stats: () => Promise<StoreStats>
  readonly counters: Counters
  readonly readiness: Readiness
  readonly log: (line: string) => void
}

export class DamageWatch {
  readonly #parts: DamageParts
  #timer: Timer | undefined
  #isClosed = false
  #segments = 0
  #reads = 0

  constructor(parts: DamageParts) {
    this.#parts = parts
    this.#waitForNext()
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
  }

  /** By figures that someone asked for anyway; undefined: the store did not answer in time. */
  note(store: StoreStats | undefined): void {
    const segments = store?.counters['damagesFound'] ?? this.#segments
    const reads = this.#parts.counters.rows(ROW_UNREADABLE)
    if (segments === this.#segments && reads === this.#reads) return
    const isNews = segments > this.#segments || this.#reads === 0
    this.#segments = segments
    this.#reads = reads
    const text = damageText(segments, reads)
    this.#parts.readiness.warn('damage', text)
    // Every read of a damaged row would be a line otherwise.
    if (isNews) this.#parts.log(text)
  }

  async #look(): Promise<void> {
    try {
      this.note(await within(this.#parts.stats(), STORE_STATS_MS_MAX))
    } catch {
      // The store's thread is gone: serve tells that, and what this thread counted still holds.
      this.note(undefined)
    }
    if (!this.#isClosed) this.#waitForNext()
  }

  #waitForNext(): void {
    this.#timer = setTimeout(() => void this.#look(), DAMAGE_POLL_MS)
    this.#timer.unref()
  }
}

function damageText(segments: number, reads: number): string {
  const found = [
    ...(segments > 0 ? [`damage in ${counted(segments, 'segment')}`] : []),
    ...(reads > 0 ? [`${counted(reads, 'look-up')} of rows that can't be read, told as LATE`] : []),
  ].join(', ')
  return `store: ${found}: run salver store verify for the places`
}
