/**
 * The writing side of the index: 256 shards, each grown alone. While readers may still look into the
 * table that a shard had before it grew, that one is kept up to date too.
 */
import type { ShardPlace } from './index-memory.ts'
import { INDEX_ENTRY_BYTES, IndexMemory } from './index-memory.ts'
import { IndexShard } from './index-shard.ts'
import { LOCATION_EMPTY, LOCATION_REMOVED } from './segment.ts'

export const SHARDS = 256

const LOAD_MAX = 0.75
/** A table that is being replaced may become this full before its readers must have left it. */
const LOAD_MAX_LEAVING = 0.9
const GROWTH = 1.125
const CAPACITY_MIN = 16

/**
 * Capacities of shard i are 16 x 1.125^(k + i / 256): shards fill alike, and would all grow at the
 * same time if they did not start at different places of the same ladder.
 */
function capacityFor(shard: number, entries: number): number {
  const start = CAPACITY_MIN * GROWTH ** (shard / SHARDS)
  let step = Math.max(0, Math.floor(Math.log(entries / LOAD_MAX / start) / Math.log(GROWTH)))
  while (Math.ceil(start * GROWTH ** step) * LOAD_MAX < entries) step++
  return Math.ceil(start * GROWTH ** step)
}

export class IndexWriter {
  readonly shards: IndexShard[]
  /** The tables that shards had before they grew, until every reader has left them. */
  readonly leaving: (IndexShard | undefined)[]
  /** Entries of each shard. */
  readonly live = new Uint32Array(SHARDS)
  /** Slots taken by entries and by removed ones, in a shard's table and in the one it leaves. */
  readonly #taken = new Uint32Array(SHARDS)
  readonly #takenLeaving = new Uint32Array(SHARDS)

  readonly memory = new IndexMemory()

  constructor() {
    this.leaving = new Array<IndexShard | undefined>(SHARDS).fill(undefined)
    this.shards = Array.from({ length: SHARDS }, (_, shard) => this.#make(capacityFor(shard, 0)))
  }

  /** Puts an index in the place of this empty one: `fill` is given each shard's memory in turn. */
  restore(
    capacities: readonly number[],
    fill: (shardBytes: Uint8Array<SharedArrayBuffer>) => void,
  ): void {
    capacities.forEach((capacity, shard) => {
      this.memory.free(this.shards[shard]!.place)
      const table = this.#make(capacity)
      this.shards[shard] = table
      fill(this.bytesOf(table))
      this.#count(shard, table)
    })
  }

  bytesOf({ place }: IndexShard): Uint8Array<SharedArrayBuffer> {
    return this.memory.slabs[place.slab]!.bytesOf(place)
  }

  get entries(): number {
    return this.live.reduce((sum, live) => sum + live, 0)
  }

  get bytes(): number {
    const sum = (bytes: number, shard: IndexShard | undefined) =>
      bytes + (shard === undefined ? 0 : shard.capacity * INDEX_ENTRY_BYTES)
    return this.leaving.reduce(sum, this.shards.reduce(sum, 0))
  }

  /** True if so many more entries in a shard call for another table. */
  mustGrow(shard: number, additions: number): boolean {
    return this.#taken[shard]! + additions > this.shards[shard]!.capacity * LOAD_MAX
  }

  /** True if a shard's leaving table could not take so many more: its readers must leave it first. */
  mustLeave(shard: number, additions: number): boolean {
    const leaving = this.leaving[shard]
    if (leaving === undefined) return false
    return this.#takenLeaving[shard]! + additions > leaving.capacity * LOAD_MAX_LEAVING
  }

  /**
   * Gives a shard a table with room for so many more. The old one goes on as the leaving one; there
   * must be none. The caller tells the readers.
   */
  grow(shard: number, additions: number): IndexShard {
    const old = this.shards[shard]!
    const larger = this.#make(capacityFor(shard, this.live[shard]! + additions))
    larger.fillFrom(old)
    this.shards[shard] = larger
    this.leaving[shard] = old
    this.#takenLeaving[shard] = this.#taken[shard]!
    this.#taken[shard] = this.live[shard]!
    return larger
  }

  /** Before a log is read: room for about so many entries, so that the shards need not grow there. */
  expect(entries: number): void {
    this.#rebuild(
      (shard) => capacityFor(shard, entries / SHARDS) > this.shards[shard]!.capacity,
      entries,
    )
  }

  /** After a log is read: takes back room that was expected in vain. */
  fit(): void {
    this.#rebuild(
      (shard) => capacityFor(shard, this.live[shard]!) < this.shards[shard]!.capacity,
      0,
    )
  }

  /** Every reader has left the table: it is no longer written to. */
  leave(shard: number): void {
    const table = this.leaving[shard]
    if (table === undefined) return
    this.leaving[shard] = undefined
    this.memory.free(table.place)
  }

  insert(shard: number, fingerprint: number, location: number, timeUs: number): void {
    this.shards[shard]!.insert(fingerprint, location, timeUs)
    this.leaving[shard]?.insert(fingerprint, location, timeUs)
    this.live[shard]!++
    this.#taken[shard]!++
    this.#takenLeaving[shard]!++
  }

  replace(
    shard: number,
    fingerprint: number,
    held: number,
    location: number,
    timeUs: number,
  ): void {
    const table = this.shards[shard]!
    table.replace(table.find(fingerprint, held), location, timeUs)
    const leaving = this.leaving[shard]
    leaving?.replace(leaving.find(fingerprint, held), location, timeUs)
  }

  remove(shard: number, fingerprint: number, held: number): void {
    const table = this.shards[shard]!
    table.remove(table.find(fingerprint, held))
    const leaving = this.leaving[shard]
    leaving?.remove(leaving.find(fingerprint, held))
    this.live[shard]!--
  }

  /** Gives shards tables with room for their share of so many more. No reader may look at them. */
  #rebuild(isWanted: (shard: number) => boolean, additions: number): void {
    for (let shard = 0; shard < SHARDS; shard++) {
      if (!isWanted(shard)) continue
      this.grow(shard, Math.ceil(additions / SHARDS))
      this.leave(shard)
    }
  }

  #make(capacity: number): IndexShard {
    const place: ShardPlace = this.memory.allocate(capacity)
    return new IndexShard(this.memory.slabs[place.slab]!, place)
  }

  #count(shard: number, table: IndexShard): void {
    for (let slot = 0; slot < table.capacity; slot++) {
      const location = table.location(slot)
      if (location !== LOCATION_EMPTY) this.#taken[shard]!++
      if (location >>> 0 > LOCATION_REMOVED) this.live[shard]!++
    }
  }
}
