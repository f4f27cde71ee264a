/**
 * Keeps rows of tables that allow it in memory, in front of a store that takes time to ask.
 *
 * A kept row is given only within its table's bound: less than `cacheMaxStalenessMs` have passed,
 * when the batch arrives, since the store was asked for it, or since this was told of its write.
 * Past that it is given only if the table says so and the store has just failed to answer, and is
 * then counted in the batch.
 */
import { ANSWER_BYTES_KEPT_MAX, WORKSPACES_KEPT_MAX } from '../../base/limits.ts'
import { KeyHasher } from '../key-hash.ts'
import type { ReadBatch } from '../read-batch.ts'
import { FAILED, FOUND, MISSING, PENDING } from '../read-batch.ts'
import type { RowReader, TableSpec, TableUse, WriteFollower } from '../store.ts'
import type { WriteBatch } from '../write-batch.ts'
import { KeptRows, powerOfTwoWithin } from './kept-rows.ts'
import { KeptTables } from './kept-tables.ts'
import type { KeyHash } from './key-cursor.ts'
import { KeyCursor, tableHash } from './key-cursor.ts'
import { MissedKeys } from './missed-keys.ts'
import { NOWHERE } from './slot-index.ts'
import { WriteMarks } from './write-marks.ts'
import { WriteThrough } from './write-through.ts'

const COUNT_AT_FIRST = 256

/** One mark for so many bytes of the cache; so many do for any rate of writes. */
const BYTES_PER_MARK = 512
const MARKS_MAX = 65_536

export type CacheSurroundings = {
  /** On the clock of `asOfMs` in a batch. */
  readonly now: () => number
  readonly hasher: KeyHash
}

const surroundings = (): CacheSurroundings => ({
  now: () => performance.now(),
  hasher: new KeyHasher(Math.floor(Math.random() * 2 ** 32)),
})

export class CachedReader implements RowReader, WriteFollower {
  readonly #inner: RowReader & WriteFollower
  readonly #now: () => number
  readonly #tables = new KeptTables()
  readonly #rows: KeptRows
  readonly #marks: WriteMarks
  readonly #key: KeyCursor
  readonly #writes: WriteThrough
  /** For each key of the batch in hand its hash, and the place of the row to give or NOWHERE. */
  #hashes = new Int32Array(COUNT_AT_FIRST)
  #held = new Int32Array(COUNT_AT_FIRST)
  #rowWords = new Int32Array(0)
  /** Batches that no read holds, at most WORKSPACES_KEPT_MAX. */
  readonly #idle: MissedKeys[] = []
  #sink = 0
  readonly #counts = {
    /** Keys answered from memory, whether with a row or with its absence. */
    cacheHits: 0,
    cacheNegativeHits: 0,
    cacheMisses: 0,
    /** Given past their bound, because the store failed. */
    cacheStaleServed: 0,
    cacheInserted: 0,
    /** Read, but not kept: a write or a later read had come first. */
    cacheOvertaken: 0,
    /** Read, but longer than the memory. */
    cacheTooLarge: 0,
  }

  /** `bytesMax` bounds the rows, their index and the marks of writes together. */
  constructor(
    inner: RowReader & WriteFollower,
    { bytesMax }: { readonly bytesMax: number },
    { now, hasher }: CacheSurroundings = surroundings(),
  ) {
    this.#inner = inner
    this.#now = now
    this.#key = new KeyCursor(hasher)
    this.#marks = new WriteMarks(powerOfTwoWithin(Math.min(bytesMax / BYTES_PER_MARK, MARKS_MAX)))
    this.#rows = new KeptRows(bytesMax - this.#marks.bytes)
    this.#writes = new WriteThrough(this.#rows, this.#marks, this.#key)
  }

  get counters(): Readonly<Record<string, number>> {
    const { kept, dropped } = this.#writes
    return {
      ...this.#counts,
      cacheEvicted: this.#rows.evicted,
      cacheWrittenThrough: kept,
      cacheDropped: dropped,
    }
  }

  get gauges(): Readonly<Record<string, number>> {
    return { cacheBytesUsed: this.#rows.bytesUsed, cacheEntries: this.#rows.entries }
  }

  readMany(batch: ReadBatch, untilMs: number, gone?: AbortSignal): undefined | Promise<void> {
    if (!this.#isAnyKept(batch)) return this.#inner.readMany(batch, untilMs, gone)
    const missed = this.#answerHeld(batch)
    if (missed === undefined) return undefined
    const reading = this.#inner.readMany(missed.batch, untilMs, gone)
    if (reading === undefined) return this.#finish(missed, batch, gone)
    return reading.then(() => this.#finish(missed, batch, gone))
  }

  tableNumber(name: string, keySignature: string, use: TableUse): number {
    const number = this.#inner.tableNumber(name, keySignature, use)
    if (number !== 0) this.#tables.add(number, name, keySignature, use)
    return number
  }

  layoutBytes(layout: number): Uint8Array {
    return this.#inner.layoutBytes(layout)
  }

  follow(spec: TableSpec, batch: WriteBatch, outcomes: Uint8Array | undefined): void {
    const tables = this.#tables.written(spec)
    if (tables.length > 0) this.#writes.apply(tables, { batch, outcomes, nowMs: this.#now() })
    this.#inner.follow(spec, batch, outcomes)
  }

  #isAnyKept(batch: ReadBatch): boolean {
    for (let place = 0; place < batch.count; place++) {
      if (this.#tables.boundMs(batch.tables[place]!) > 0) return true
    }
    return false
  }

  /** Gives what is kept; the other keys come back as a batch of their own. */
  #answerHeld(batch: ReadBatch): MissedKeys | undefined {
    const nowMs = this.#now()
    this.#makeRoom(batch.count)
    this.#touch(batch)
    let missed: MissedKeys | undefined
    for (let place = 0; place < batch.count; place++) {
      const held = this.#findFresh(batch, place, nowMs)
      this.#held[place] = held
      if (held !== NOWHERE) continue
      missed ??= this.#takeMissed(batch.count)
      missed.add(batch, place, nowMs)
    }
    this.#giveHeld(batch)
    return missed
  }

  /** Hashes all keys and starts all accesses to memory, so that they overlap. */
  #touch(batch: ReadBatch): void {
    let sink = 0
    this.#key.open(batch)
    for (let place = 0; place < batch.count; place++) {
      this.#key.moveTo(place)
      const hash = tableHash(this.#key.hash, batch.tables[place]!)
      this.#hashes[place] = hash
      sink ^= this.#rows.touchIndex(hash)
    }
    for (let place = 0; place < batch.count; place++) {
      this.#held[place] = this.#rows.firstPlace(this.#hashes[place]!)
    }
    for (let place = 0; place < batch.count; place++) {
      if (this.#held[place] !== NOWHERE) sink ^= this.#rows.touchEntry(this.#held[place]!)
    }
    this.#sink ^= sink // so that the loads are not optimised away
  }

  #findFresh(batch: ReadBatch, place: number, nowMs: number): number {
    const table = batch.tables[place]!
    const boundMs = this.#tables.boundMs(table)
    if (boundMs === 0) return NOWHERE
    this.#key.pointAt(place)
    const held = this.#rows.findHashed(this.#key, table, this.#hashes[place]!, this.#held[place]!)
    const isFresh = held !== NOWHERE && nowMs - this.#rows.asOfMs(held) < boundMs
    if (!isFresh) {
      this.#counts.cacheMisses++
      return NOWHERE
    }
    this.#counts.cacheHits++
    if (this.#rows.layout(held) === 0) this.#counts.cacheNegativeHits++
    this.#rows.markAsked(held)
    return held
  }

  /** Answers every key that has a place in `#held`; room for all their rows in one step. */
  #giveHeld(batch: ReadBatch): void {
    const rows = this.#rows
    let start = batch.rowsUsed
    for (let place = 0; place < batch.count; place++) {
      const held = this.#held[place]!
      if (held === NOWHERE) continue
      const layout = rows.layout(held)
      batch.asOfMs[place] = rows.asOfMs(held)
      batch.states[place] = layout === 0 ? MISSING : FOUND
      if (layout === 0) continue
      const bytes = rows.rowBytes(held)
      batch.times[place] = rows.timeUs(held)
      batch.layouts[place] = layout
      batch.rowStarts[place] = start
      batch.rowBytes[place] = bytes
      start += bytes
    }
    if (start > batch.rowsUsed) this.#copyHeld(batch, start - batch.rowsUsed)
  }

  #copyHeld(batch: ReadBatch, bytes: number): void {
    batch.reserveRow(bytes)
    const target = this.#wordsOf(batch)
    for (let place = 0; place < batch.count; place++) {
      const held = this.#held[place]!
      if (held === NOWHERE || batch.states[place] !== FOUND) continue
      this.#rows.copyRow(held, target, batch.rowStarts[place]! >> 2)
    }
  }

  /**
   * The store has answered. Kept rows are given before new ones are kept, for these may take the
   * others' place. Whoever is gone may use its batch for something else already.
   */
  #finish(missed: MissedKeys, batch: ReadBatch, gone: AbortSignal | undefined): undefined {
    if (gone?.aborted !== true) this.#deliver(missed, batch)
    this.#keep(missed.batch)
    this.#release(missed)
  }

  #deliver({ batch: answered, places }: MissedKeys, batch: ReadBatch): void {
    this.#makeRoom(batch.count)
    this.#held.fill(NOWHERE, 0, batch.count)
    const base = batch.reserveRow(answered.rowsUsed)
    batch.rows.set(answered.rows.subarray(0, answered.rowsUsed), base)
    for (let missed = 0; missed < answered.count; missed++) {
      const place = places[missed]!
      batch.states[place] = answered.states[missed]!
      batch.asOfMs[place] = answered.asOfMs[missed]!
      if (answered.states[missed] !== FOUND) continue
      batch.times[place] = answered.times[missed]!
      batch.layouts[place] = answered.layouts[missed]!
      batch.rowStarts[place] = base + answered.rowStarts[missed]!
      batch.rowBytes[place] = answered.rowBytes[missed]!
    }
    batch.staleRows += answered.staleRows
    this.#deliverStale(answered, places, batch)
  }

  /** What the store failed to answer, where the table prefers an old row to none. */
  #deliverStale(answered: ReadBatch, places: Uint32Array, batch: ReadBatch): void {
    const nowMs = this.#now()
    let given = 0
    this.#key.open(answered)
    for (let missed = 0; missed < answered.count; missed++) {
      const state = answered.states[missed]!
      const table = answered.tables[missed]!
      if ((state !== FAILED && state !== PENDING) || !this.#tables.isServedStale(table)) continue
      this.#key.moveTo(missed)
      const held = this.#rows.find(this.#key, table)
      if (held === NOWHERE) continue
      this.#held[places[missed]!] = held
      given++
      if (nowMs - this.#rows.asOfMs(held) < this.#tables.boundMs(table)) continue
      batch.staleRows++
      this.#counts.cacheStaleServed++
    }
    if (given > 0) this.#giveHeld(batch)
  }

  #keep(answered: ReadBatch): void {
    const words = this.#wordsOf(answered)
    this.#key.open(answered)
    for (let place = 0; place < answered.count; place++) {
      const state = answered.states[place]!
      if (state !== FOUND && state !== MISSING) continue
      if (this.#tables.boundMs(answered.tables[place]!) === 0) continue
      this.#key.moveTo(place)
      this.#keepOne(answered, place, words)
    }
  }

  /** A read that was under way while its key was written may hold the row from before. */
  #keepOne(answered: ReadBatch, place: number, words: Int32Array): void {
    const rows = this.#rows
    const table = answered.tables[place]!
    const asOfMs = answered.asOfMs[place]!
    const held = rows.find(this.#key, table)
    const isLate = held !== NOWHERE && rows.asOfMs(held) >= asOfMs
    if (isLate || this.#marks.isOutdated(this.#key.hash, asOfMs)) {
      this.#counts.cacheOvertaken++
      return
    }
    const isFound = answered.states[place] === FOUND
    const made = rows.make(this.#key, table, isFound ? answered.rowBytes[place]! : 0)
    if (made === NOWHERE) {
      this.#counts.cacheTooLarge++
      return
    }
    this.#counts.cacheInserted++
    if (!isFound) {
      rows.describe(made, 0, -Infinity, asOfMs)
      return
    }
    rows.describe(made, answered.layouts[place]!, answered.times[place]!, asOfMs)
    rows.writeRow(made, words, answered.rowStarts[place]! >> 2)
    this.#tables.noteLayout(answered.layouts[place]!, this.#inner)
  }

  #takeMissed(keysMax: number): MissedKeys {
    const missed = this.#idle.pop() ?? new MissedKeys()
    missed.reset(keysMax)
    return missed
  }

  /** Not reached on a failure: such a batch is let go. */
  #release(missed: MissedKeys): void {
    if (missed.isWorthKeeping && this.#idle.length < WORKSPACES_KEPT_MAX) this.#idle.push(missed)
  }

  /** The same batch comes again and again: a view on its rows is made once. */
  #wordsOf(batch: ReadBatch): Int32Array {
    if (this.#rowWords.buffer === batch.rows.buffer) return this.#rowWords
    const words = new Int32Array(batch.rows.buffer)
    // One as large as this is not kept by who owns it either.
    if (batch.rows.length <= ANSWER_BYTES_KEPT_MAX) this.#rowWords = words
    return words
  }

  #makeRoom(count: number): void {
    if (count <= this.#held.length) return
    this.#held = new Int32Array(count)
    this.#hashes = new Int32Array(count)
  }
}
