/** A row that lies somewhere in a buffer, feature by feature. Holds a view: valid while the bytes are. */
import type { Layout } from './layout.ts'
import { presenceAt } from './layout.ts'
import { heapEnd, heapStart, readTime } from './row-reader.ts'

export class PlacedRow {
  readonly #layout: Layout
  bytes: Uint8Array = new Uint8Array(0)
  start = 0

  constructor(layout: Layout) {
    this.#layout = layout
  }

  place(bytes: Uint8Array, start: number): void {
    this.bytes = bytes
    this.start = start
  }

  presence(position: number): number {
    return presenceAt(this.#layout, this.bytes, this.start, position)
  }

  time(position: number): number {
    return readTime(this.bytes, this.start, position)
  }

  /** Where the feature's value lies in `bytes`: its slot, or its place in the heap. */
  valueAt(position: number): number {
    const { features, slots, fixedBytes } = this.#layout
    if (features[position]!.type.slotBytes > 0) return this.start + slots[position]!
    return this.start + fixedBytes + heapStart(this.#layout, this.bytes, this.start, position)
  }

  valueBytes(position: number): number {
    const { slotBytes } = this.#layout.features[position]!.type
    if (slotBytes > 0) return slotBytes
    return (
      heapEnd(this.#layout, this.bytes, this.start, position) -
      heapStart(this.#layout, this.bytes, this.start, position)
    )
  }
}

/** True if a feature says the same in two rows of one layout: presence and value, not the time. */
export function isSameFeature(a: PlacedRow, b: PlacedRow, position: number): boolean {
  if (a.presence(position) !== b.presence(position)) return false
  const bytes = a.valueBytes(position)
  if (bytes !== b.valueBytes(position)) return false
  const startA = a.valueAt(position)
  const startB = b.valueAt(position)
  for (let place = 0; place < bytes; place++) {
    if (a.bytes[startA + place] !== b.bytes[startB + place]) return false
  }
  return true
}
