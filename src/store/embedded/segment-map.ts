/** One thread's mappings of segments, made when a slot is first read and given up between requests. */
import { SEGMENTS_MAX } from '../../base/limits.ts'
import type { Disk } from './disk.ts'
import { LogView } from './log-entry.ts'
import { checksumSeedOf, segmentName } from './segment.ts'
import type { SlotTable } from './segments.ts'

const NOT_MAPPED = new LogView(new Uint8Array(0), 0)

/** Where segments lie, and whose they are. */
export type SegmentPlace = { readonly directory: string; readonly storeId: Uint8Array }

export class SegmentMap {
  readonly slots: SlotTable
  readonly #disk: Disk
  readonly #place: SegmentPlace
  readonly #views = new Array<LogView>(SEGMENTS_MAX).fill(NOT_MAPPED)

  constructor(disk: Disk, place: SegmentPlace, slots: SlotTable) {
    this.#disk = disk
    this.#place = place
    this.slots = slots
  }

  path(slot: number): string {
    return `${this.#place.directory}/${segmentName(this.slots.id(slot))}`
  }

  /** Views on the mapped file of a slot: they must not outlive the request. Throws if it can't be mapped. */
  view(slot: number): LogView {
    const view = this.#views[slot]!
    return view === NOT_MAPPED ? this.#map(slot) : view
  }

  /** Takes over a mapping of the slot's file that was made before the slot was known. */
  adopt(slot: number, view: LogView): void {
    this.#views[slot] = view
  }

  /** Gives the mapping back at once. Every view on it is empty from now on. */
  unmap(slot: number): void {
    const view = this.#views[slot]!
    if (view === NOT_MAPPED) return
    this.#views[slot] = NOT_MAPPED
    view.bytes.buffer.transfer(0)
  }

  unmapAll(): void {
    for (let slot = 0; slot < SEGMENTS_MAX; slot++) this.unmap(slot)
  }

  #map(slot: number): LogView {
    const seed = checksumSeedOf(this.#place.storeId, this.slots.id(slot))
    const view = new LogView(this.#disk.map(this.path(slot)), seed)
    this.#views[slot] = view
    return view
  }
}
