/**
 * After an open by snapshot nothing of the log was read, so each look-up checks the entry it finds. While
 * the writer is idle this reads what was not, and what is found whole needs no look at each read.
 */
import { totalmem } from 'node:os'
import { SCRUB_STEP_MS_MAX } from '../../base/limits.ts'
import { SEGMENT_HEADER_BYTES } from './segment.ts'
import { entryBytesOf, isBody, isHeader } from './log-entry.ts'
import type { LogState } from './log-state.ts'
import type { Segment } from './segments.ts'

/** A log larger than this share of memory would push what is asked for out of the page cache. */
const MEMORY_SHARE_MAX = 1 / 2

/** Entries checked between two looks at the clock. */
const CLOCK_ENTRIES = 64

export class Scrub {
  readonly #state: LogState
  #segment: Segment | undefined
  #offset = SEGMENT_HEADER_BYTES

  constructor(state: LogState) {
    this.#state = state
    if (state.bytes().log <= totalmem() * MEMORY_SHARE_MAX) this.#next()
  }

  isDone(): boolean {
    return this.#segment === undefined
  }

  step(): void {
    const segment = this.#segment
    if (segment === undefined) return
    // Compaction may have emptied it meanwhile: then its file is gone or about to go.
    if (!segment.isRetired) this.#checkSome(segment)
    const isReadable = !segment.isRetired && !segment.isDamaged
    if (isReadable && this.#offset < segment.end) return
    if (isReadable) this.#state.segments.slots.setChecked(segment.slot)
    this.#next()
  }

  #checkSome(segment: Segment): void {
    const view = this.#state.map.view(segment.slot)
    const untilMs = performance.now() + SCRUB_STEP_MS_MAX
    for (let entry = 1; this.#offset < segment.end; entry++) {
      const at = this.#offset / 4
      if (!isHeader(view, at) || !isBody(view, at)) {
        segment.isDamaged = true
        this.#state.counters.damagesFound++
        return
      }
      this.#offset += entryBytesOf(view.words, at)
      if (entry % CLOCK_ENTRIES === 0 && performance.now() > untilMs) return
    }
  }

  #next(): void {
    const { slots } = this.#state.segments
    this.#offset = SEGMENT_HEADER_BYTES
    this.#segment = this.#state.segments
      .all()
      .find(({ slot, isDamaged, isRetired }) => !isDamaged && !isRetired && !slots.isChecked(slot))
  }
}
