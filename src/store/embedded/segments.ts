/**
 * The segments of an open store, by slot and by age, with what the writer keeps count of. Which
 * segment is in which slot stands in shared memory: readers map a slot's file when they first need it.
 */
import { SEGMENTS_MAX } from '../../base/limits.ts'

export type Segment = {
  readonly id: number
  readonly slot: number
  /** 0 for new entries (log-format.md). */
  readonly horizon: number
  readonly fileBytes: number
  /** Byte offset behind the last good group. */
  end: number
  /** Bytes of rows and tombstones that the index names. */
  liveBytes: number
  touches: number
  sequenceMin: number
  tombstoneBytes: number
  /** The latest event time and the highest sequence number of the tombstones here. */
  tombstoneTimeMaxUs: number
  tombstoneSequenceMax: number
  /** Something here can't be read: it is kept, for people to look at. */
  isDamaged: boolean
  /** Nothing in the index names anything here: the file goes as soon as no thread maps it. */
  isRetired: boolean
}

export const emptySegment = (
  place: Pick<Segment, 'id' | 'slot' | 'horizon' | 'fileBytes' | 'end'>,
): Segment => ({
  ...place,
  liveBytes: 0,
  touches: 0,
  sequenceMin: Infinity,
  tombstoneBytes: 0,
  tombstoneTimeMaxUs: -Infinity,
  tombstoneSequenceMax: 0,
  isDamaged: false,
  isRetired: false,
})

/** Two words a slot: the segment's id (0: none), and 1 if its checksums need no look at each read. */
export class SlotTable {
  readonly buffer: SharedArrayBuffer
  readonly #words: Int32Array

  constructor(buffer = new SharedArrayBuffer(SEGMENTS_MAX * 8)) {
    this.buffer = buffer
    this.#words = new Int32Array(buffer)
  }

  id(slot: number): number {
    return Atomics.load(this.#words, slot * 2)
  }

  isChecked(slot: number): boolean {
    return this.#words[slot * 2 + 1] === 1
  }

  put(slot: number, id: number, isChecked: boolean): void {
    this.#words[slot * 2 + 1] = isChecked ? 1 : 0
    Atomics.store(this.#words, slot * 2, id)
  }

  setChecked(slot: number): void {
    Atomics.store(this.#words, slot * 2 + 1, 1)
  }
}

export class Segments {
  readonly slots = new SlotTable()
  readonly #bySlot = new Array<Segment | undefined>(SEGMENTS_MAX).fill(undefined)
  readonly #byId = new Map<number, Segment>()
  #inOrder: readonly Segment[] | undefined
  #lastId = 0

  /** The highest id given out so far. */
  get lastId(): number {
    return this.#lastId
  }

  get count(): number {
    return this.#byId.size
  }

  /** In the order of their ids. */
  all(): readonly Segment[] {
    this.#inOrder ??= [...this.#byId.values()].sort((a, b) => a.id - b.id)
    return this.#inOrder
  }

  in(slot: number): Segment | undefined {
    return this.#bySlot[slot]
  }

  /** A number that no segment had before: ids are never used twice. */
  nextId(): number {
    return ++this.#lastId
  }

  /** Ids up to this one were given out by earlier runs. */
  skipIds(lastId: number): void {
    this.#lastId = Math.max(this.#lastId, lastId)
  }

  /** The lowest free slot, or -1. */
  freeSlot(): number {
    return this.#bySlot.indexOf(undefined)
  }

  add(segment: Segment, isChecked: boolean): void {
    this.#bySlot[segment.slot] = segment
    this.#byId.set(segment.id, segment)
    this.#inOrder = undefined
    this.#lastId = Math.max(this.#lastId, segment.id)
    this.slots.put(segment.slot, segment.id, isChecked)
  }

  /** Only when its file is gone for good: then the slot may be used again. */
  remove(segment: Segment): void {
    this.#bySlot[segment.slot] = undefined
    this.#byId.delete(segment.id)
    this.#inOrder = undefined
    this.slots.put(segment.slot, 0, false)
  }
}
