/**
 * The contract of every store: batches of rows by table and key. A store knows tables, keys, times
 * and row bytes; order, merge and change detection happen behind it (row/order-rule.ts decides).
 * It imports no implementation; test/store/store-suite.ts runs over every one.
 */
import type { Layout } from '../row/layout.ts'
import type { ReadBatch } from './read-batch.ts'
import type { WriteBatch, WriteOutcomes } from './write-batch.ts'

/** A table and the layout in which rows are written to it now. */
export type TableSpec = {
  /** The feature view's table name. */
  readonly name: string
  /**
   * `join_key:TYPE` joined by commas, in key order. The same name with another signature is another
   * table: the old one's rows stay until `dropTable`.
   */
  readonly keySignature: string
  /** Layout bytes as row/format.md gives them. */
  readonly layout: Uint8Array
  /** The view's ttl in microseconds, 0 for none: a store that rewrites a row to advance its time asks. */
  readonly ttlUs: number
}

/** How a plan will read a table: stores that keep rows in another form, or keep copies, ask. */
export type TableUse = {
  /** The layout that rows are wanted in; a store that keeps layouts may give others. */
  readonly layout: Layout
  /** Positions of the features that will be looked at, of a view declared wide; else undefined: all. */
  readonly features: Uint32Array | undefined
  /** How old a kept copy may be, in milliseconds; 0: no copy is to be kept. */
  readonly cacheMaxStalenessMs: number
  /** Whether a copy older than that is better than none while the store fails. */
  readonly staleIfError: boolean
}

export type TableHandle = {
  /** Number of the table in this store, 1 and up. */
  readonly table: number
  /** Number of the layout in this store, 1 and up. */
  readonly layout: number
}

export type TableDescription = {
  readonly table: number
  readonly name: string
  readonly keySignature: string
  readonly rows: number
}

export interface RowReader {
  /**
   * Looks up every key of the batch and fills its answer part (read-batch.ts): FOUND with row bytes,
   * layout and event time; MISSING (never written, or deleted); FAILED (could not be read: never
   * shown as missing); PENDING (not there by `untilMs`, on the clock of `performance.now()`).
   * A store that needs no waiting returns nothing and is done on return. Never rejects for one key.
   * When `gone` is aborted nobody waits any more: the promise resolves at once.
   */
  readMany(batch: ReadBatch, untilMs: number, gone?: AbortSignal): undefined | Promise<void>

  /** The table's number, or 0 if the store has no such table: every key in it is then missing. */
  tableNumber(name: string, keySignature: string, use: TableUse): number

  /** Bytes of a layout by its number: those a FOUND row was written with. Throws for an unknown one. */
  layoutBytes(layout: number): Uint8Array
}

export interface RowWriter {
  /** Finds or makes the table and layout. Durable on return. */
  openTable(spec: TableSpec): Promise<TableHandle>

  /**
   * Applies every row and tombstone of the batch by the order rule, the batch's own keys in their
   * order. Resolves when what was accepted is durable and readable; an outcome for each entry.
   * Rejects with a Fault (`disk_full`, `write_failed`, `store_full`) if the batch, or an unknown part
   * of it, was not made durable: writing it again is always safe, for the rule makes it idempotent.
   */
  writeMany(batch: WriteBatch): Promise<WriteOutcomes>
}

/** Keeps copies of rows, or joins reads under way: told of writes so that no later read misses one. */
export interface WriteFollower {
  /**
   * What a batch did, by its outcomes: called after it is durable and before it is acknowledged.
   * Undefined where it failed, and nobody knows which of its rows were written.
   */
  follow(spec: TableSpec, batch: WriteBatch, outcomes: Uint8Array | undefined): void
}

export type StoreStats = {
  readonly rows: number
  readonly tombstones: number
  readonly tables: readonly TableDescription[]
  /** Bytes on disk, and how many of them current rows need. */
  readonly diskBytes: number
  readonly liveBytes: number
  readonly segments: number
  /** Bytes of memory that the index holds. */
  readonly indexBytes: number
  readonly lastSequence: number
  /** One counter for each thing that can happen: see the implementation. */
  readonly counters: Readonly<Record<string, number>>
}

export type ScanEntry = {
  readonly key: Uint8Array
  readonly row: Uint8Array
  readonly layout: number
  readonly timeUs: number
}

export interface Store extends RowReader, RowWriter {
  /** Current rows of a table in no order. An entry's bytes are views, valid until the next step. */
  scan(table: number): Iterable<ScanEntry> | AsyncIterable<ScanEntry>
  /** Forgets a table and its rows; returns how many there were. */
  dropTable(table: number): Promise<number>
  stats(): StoreStats
  close(): Promise<void>
}
