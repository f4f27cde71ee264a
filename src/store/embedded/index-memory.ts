/**
 * The memory of the index: a few large shared buffers, in which shards get places and give them back.
 * A buffer for each table of each shard would be left to the garbage collector, which takes longer over
 * it than the index takes to grow.
 */
import { INDEX_SLAB_BYTES } from '../../base/limits.ts'

export const INDEX_ENTRY_BYTES = 16

/** Entries `start` to `start + capacity` of a slab. */
export type ShardPlace = {
  readonly slab: number
  readonly start: number
  readonly capacity: number
}

/** One shared buffer, as the ints and doubles that its entries consist of. */
export class IndexSlab {
  readonly buffer: SharedArrayBuffer
  readonly ints: Int32Array<SharedArrayBuffer>
  readonly doubles: Float64Array<SharedArrayBuffer>

  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer
    this.ints = new Int32Array(buffer)
    this.doubles = new Float64Array(buffer)
  }

  bytesOf({ start, capacity }: ShardPlace): Uint8Array<SharedArrayBuffer> {
    return new Uint8Array(this.buffer, start * INDEX_ENTRY_BYTES, capacity * INDEX_ENTRY_BYTES)
  }
}

type Gap = { start: number; capacity: number }

const SLAB_ENTRIES = INDEX_SLAB_BYTES / INDEX_ENTRY_BYTES

export class IndexMemory {
  readonly slabs: IndexSlab[] = []
  /** Of each slab what is free, in the order of the starts; free entries are zero. */
  readonly #gaps: Gap[][] = []
  /** Called for each slab that is added, before a shard is in it. */
  onSlab: (buffer: SharedArrayBuffer) => void = () => undefined

  allocate(capacity: number): ShardPlace {
    for (let slab = 0; slab < this.slabs.length; slab++) {
      const gap = this.#gaps[slab]!.find((free) => free.capacity >= capacity)
      if (gap !== undefined) return this.#take(slab, gap, capacity)
    }
    const buffer = new SharedArrayBuffer(INDEX_SLAB_BYTES)
    const slab = this.slabs.push(new IndexSlab(buffer)) - 1
    const gap = { start: 0, capacity: SLAB_ENTRIES }
    this.#gaps.push([gap])
    this.onSlab(buffer)
    return this.#take(slab, gap, capacity)
  }

  /** No thread looks there any more. */
  free({ slab, start, capacity }: ShardPlace): void {
    this.slabs[slab]!.ints.fill(0, start * 4, (start + capacity) * 4)
    const gaps = this.#gaps[slab]!
    const after = gaps.findIndex((gap) => gap.start > start)
    const place = after < 0 ? gaps.length : after
    gaps.splice(place, 0, { start, capacity })
    this.#join(gaps, place)
    if (place > 0) this.#join(gaps, place - 1)
  }

  #take(slab: number, gap: Gap, capacity: number): ShardPlace {
    const place = { slab, start: gap.start, capacity }
    gap.start += capacity
    gap.capacity -= capacity
    if (gap.capacity === 0) this.#gaps[slab]!.splice(this.#gaps[slab]!.indexOf(gap), 1)
    return place
  }

  /** Makes one gap of two that touch. */
  #join(gaps: Gap[], place: number): void {
    const gap = gaps[place]!
    const next = gaps[place + 1]
    if (next === undefined || gap.start + gap.capacity !== next.start) return
    gap.capacity += next.capacity
    gaps.splice(place + 1, 1)
  }
}
