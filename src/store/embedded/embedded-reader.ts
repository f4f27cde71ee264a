/**
 * Reads rows where they lie, in any thread: from the index that the writer publishes in shared memory
 * and the segments as this thread maps them. Everything between two updates is one point in time for
 * the maps: an update is applied between requests, never while a view is in use.
 */
import { TABLES_MAX } from '../../base/limits.ts'
import { FAILED, FOUND, MISSING } from '../read-batch.ts'
import type { ReadBatch } from '../read-batch.ts'
import type { RowReader } from '../store.ts'
import type { Disk } from './disk.ts'
import type { ShardPlace } from './index-memory.ts'
import { IndexSlab } from './index-memory.ts'
import { IndexShard } from './index-shard.ts'
import { KIND_ROW, KIND_TOMBSTONE, kindOf, layoutOf, rowBytesOf, rowWordOf } from './log-entry.ts'
import { LOCATION_EMPTY, slotOf, wordOf } from './segment.ts'
import { SegmentMap } from './segment-map.ts'
import { SlotTable } from './segments.ts'
import { StagedLookup } from './staged-lookup.ts'
import type { ReaderUpdate, SharedIndex } from './shared-index.ts'
import type { Tables } from './tables.ts'
import { layoutBytesOf, tableNumberOf } from './tables.ts'

/** Longer rows are copied by a call, shorter ones by a loop. */
const COPY_CALL_WORDS_MIN = 128

export class EmbeddedReader implements RowReader {
  readonly #segments: SegmentMap
  readonly #slabs: IndexSlab[]
  readonly #shards: IndexShard[]
  readonly #lookup: StagedLookup
  readonly #isDropped = new Uint8Array(TABLES_MAX + 1)
  #tables: Tables
  /** Word views on the buffers of the batch last read: the same batch comes again and again. */
  #keyWords = new Int32Array(0)
  #rowWords = new Int32Array(0)

  constructor(index: SharedIndex, disk: Disk) {
    this.#segments = new SegmentMap(disk, index, new SlotTable(index.slots))
    this.#slabs = index.slabs.map((buffer) => new IndexSlab(buffer))
    this.#shards = index.shards.map((place) => this.#shardAt(place))
    this.#lookup = new StagedLookup(index.hashSeed, this.#shards, this.#segments)
    this.#tables = index.tables
    this.#applyTables(index.tables)
  }

  readMany(batch: ReadBatch): undefined {
    if (this.#keyWords.buffer !== batch.keys.buffer) {
      this.#keyWords = new Int32Array(batch.keys.buffer)
    }
    const keys = { words: this.#keyWords, starts: batch.keyStarts, bytes: batch.keyBytes }
    this.#lookup.find(keys, batch.tables, 0, batch.count)
    this.#describe(batch)
    this.#copy(batch)
    return undefined
  }

  tableNumber(name: string, keySignature: string): number {
    return tableNumberOf(this.#tables, name, keySignature)
  }

  layoutBytes(layout: number): Uint8Array {
    return layoutBytesOf(this.#tables, layout)
  }

  /** Between requests only. Returns the number to acknowledge. */
  apply(update: ReaderUpdate): number {
    if (update.kind === 'slab') this.#slabs.push(new IndexSlab(update.buffer))
    else if (update.kind === 'shard') this.#shards[update.shard] = this.#shardAt(update.place)
    else if (update.kind === 'unmap') this.#segments.unmap(update.slot)
    else this.#applyTables(update.tables)
    return update.number
  }

  /** Gives back this thread's mappings. The reader must not be used again. */
  close(): void {
    this.#segments.unmapAll()
  }

  #shardAt(place: ShardPlace): IndexShard {
    return new IndexShard(this.#slabs[place.slab]!, place)
  }

  #applyTables(tables: Tables): void {
    this.#tables = tables
    for (const table of tables.tables) this.#isDropped[table.table] = table.isDropped ? 1 : 0
  }

  /** States, times, layouts and places of the rows; room for all of them in one step. */
  #describe(batch: ReadBatch): void {
    let start = batch.rowsUsed
    for (let place = 0; place < batch.count; place++) {
      const state = this.#state(batch, place)
      batch.states[place] = state
      if (state !== FOUND) continue
      const location = this.#lookup.locations[place]!
      const { words } = this.#segments.view(slotOf(location))
      const at = wordOf(location)
      const bytes = rowBytesOf(words, at)
      batch.times[place] = this.#lookup.times[place]!
      batch.layouts[place] = layoutOf(words, at)
      batch.rowStarts[place] = start
      batch.rowBytes[place] = bytes
      start += bytes
    }
    batch.reserveRow(start - batch.rowsUsed)
  }

  #state(batch: ReadBatch, place: number): number {
    const location = this.#lookup.locations[place]!
    if (location === LOCATION_EMPTY || this.#isDropped[batch.tables[place]!] === 1) return MISSING
    if (this.#lookup.isUnreadable[place] === 1) return FAILED
    const kind = kindOf(this.#segments.view(slotOf(location)).words, wordOf(location))
    if (kind === KIND_ROW) return FOUND
    return kind === KIND_TOMBSTONE ? MISSING : FAILED
  }

  #copy(batch: ReadBatch): void {
    if (this.#rowWords.buffer !== batch.rows.buffer) {
      this.#rowWords = new Int32Array(batch.rows.buffer)
    }
    const target = this.#rowWords
    for (let place = 0; place < batch.count; place++) {
      if (batch.states[place] !== FOUND) continue
      const location = this.#lookup.locations[place]!
      const { words } = this.#segments.view(slotOf(location))
      const from = rowWordOf(words, wordOf(location))
      const to = batch.rowStarts[place]! >> 2
      const count = batch.rowBytes[place]! >> 2
      if (count >= COPY_CALL_WORDS_MIN) target.set(words.subarray(from, from + count), to)
      else for (let word = 0; word < count; word++) target[to + word] = words[from + word]!
    }
  }
}
