/** A cache over a hand-held store, with a clock that stands still, and tables to read and write. */
import type { Layout } from '../../../src/row/layout.ts'
import { encodeLayout } from '../../../src/row/layout.ts'
import type { OutcomeName } from '../../../src/row/order-rule.ts'
import { OUTCOME } from '../../../src/row/order-rule.ts'
import { CachedReader } from '../../../src/store/cache/cached-reader.ts'
import type { KeyHash } from '../../../src/store/cache/key-cursor.ts'
import { KeyHasher } from '../../../src/store/key-hash.ts'
import { FAILED, FOUND, MISSING, PENDING, ReadBatch } from '../../../src/store/read-batch.ts'
import type { TableUse } from '../../../src/store/store.ts'
import type { Lane } from '../../../src/store/write-batch.ts'
import type { SampleEntry, SampleRow } from '../sample-table.ts'
import {
  KEY_BYTES,
  SAMPLE_LAYOUT,
  SAMPLE_SPEC,
  SAMPLE_USE,
  readSampleRow,
  sampleBatch,
  writeSampleKey,
} from '../sample-table.ts'
import { HandStore } from './hand-store.ts'

/** What a key's look-up gave; undefined: it has no row. */
export type Found = SampleRow | 'failed' | 'late' | undefined

export type Write = SampleEntry & { readonly outcome?: OutcomeName }

export class CachedTables {
  nowMs = 1_000
  readonly store = new HandStore(() => this.nowMs)
  readonly cache: CachedReader
  readonly bytesMax: number

  constructor(bytesMax = 64 * 1024, hasher: KeyHash = new KeyHasher(7)) {
    const surroundings = { now: () => this.nowMs, hasher }
    this.cache = new CachedReader(this.store, { bytesMax }, surroundings)
    this.bytesMax = bytesMax
  }

  open(name: string, use: Partial<TableUse>): CachedTable {
    return new CachedTable(this, name, { ...SAMPLE_USE, ...use })
  }

  count(counter: string): number {
    return this.cache.counters[counter] ?? this.cache.gauges[counter]!
  }
}

export class CachedTable {
  readonly number: number
  readonly tables: CachedTables
  readonly name: string
  /** Of the last read. */
  batch = new ReadBatch(16, 256, 1024)
  #layout: Layout

  constructor(tables: CachedTables, name: string, use: TableUse) {
    this.tables = tables
    this.name = name
    this.number = tables.cache.tableNumber(name, SAMPLE_SPEC.keySignature, use)
    this.#layout = use.layout
  }

  /** A batch for these ids, in this table or those of the numbers beside them. */
  batchOf(ids: readonly number[], numbers: readonly number[] = []): ReadBatch {
    const batch = new ReadBatch(16, 256, 1024)
    ids.forEach((id, at) => {
      const start = batch.reserveKey(KEY_BYTES)
      writeSampleKey(batch.keys, start, id)
      batch.commitKey(numbers[at] ?? this.number, KEY_BYTES)
    })
    return batch
  }

  /** Of a store that answers at once. */
  readNow(ids: readonly number[]): Found[] {
    this.batch = this.batchOf(ids)
    const reading = this.tables.cache.readMany(this.batch, Infinity)
    if (reading !== undefined) throw new Error('the answer is not there yet')
    return answersOf(this.batch)
  }

  /** The one key's. */
  readOne(id: number): Found {
    return this.readNow([id])[0]
  }

  async read(ids: readonly number[], gone?: AbortSignal): Promise<Found[]> {
    const batch = this.batchOf(ids)
    this.batch = batch
    await this.tables.cache.readMany(batch, Infinity, gone)
    return answersOf(batch)
  }

  /** Stores entries behind the cache's back, as another process would. */
  setUnseen(...entries: readonly SampleEntry[]): void {
    for (const { id, timeUs, value, blobBytes = 8 } of entries) {
      const row = value === undefined ? undefined : { value, blobBytes, timeUs }
      this.tables.store.set(this.name, id, row)
    }
  }

  /** Tells the cache of a write. Without an outcome the entry is new, or deleted. */
  follow(entries: readonly Write[], lane: Lane = 'direct', layout: Layout = this.#layout): void {
    const outcomes = entries.map(
      ({ outcome, value }) => OUTCOME[outcome ?? (value === undefined ? 'deleted' : 'new')],
    )
    const spec = { ...SAMPLE_SPEC, name: this.name, layout: encodeLayout(layout) }
    const batch = sampleBatch({ table: 99, layout: 99 }, entries, lane)
    this.tables.cache.follow(spec, batch, Uint8Array.from(outcomes))
  }

  /** Tells the cache of a write that failed: some of its rows may be stored. */
  followFailed(ids: readonly number[]): void {
    const spec = { ...SAMPLE_SPEC, name: this.name, layout: encodeLayout(this.#layout) }
    const entries = ids.map((id) => ({ id, timeUs: 99, value: 99 }))
    const batch = sampleBatch({ table: 99, layout: 99 }, entries, 'direct')
    this.tables.cache.follow(spec, batch, undefined)
  }

  write(entries: readonly Write[], lane: Lane = 'direct'): void {
    this.setUnseen(...entries)
    this.follow(entries, lane)
  }
}

/** A table whose rows of the sample's layout may be kept so long. */
export const keptFor = (cacheMaxStalenessMs: number): Partial<TableUse> => ({
  layout: SAMPLE_LAYOUT,
  cacheMaxStalenessMs,
})

export const answersOf = (batch: ReadBatch): Found[] =>
  Array.from({ length: batch.count }, (_, place) => answerOf(batch, place))

function answerOf(batch: ReadBatch, place: number): Found {
  const state = batch.states[place]
  if (state === MISSING) return undefined
  if (state === FAILED) return 'failed'
  if (state === PENDING) return 'late'
  if (state !== FOUND) throw new Error(`state ${state}`)
  const start = batch.rowStarts[place]!
  const row = batch.rows.subarray(start, start + batch.rowBytes[place]!)
  return readSampleRow(row, batch.times[place]!)
}
