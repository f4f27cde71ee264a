/**
 * Rows of any source made the entries of a write batch: the one place, for every lane, that says what
 * a time, a null, a NaN and a bad row are (design: 5.0). Columns go to row bytes column by column,
 * records value by value; both end in the same bytes.
 */
import { Fault } from '../base/fault.ts'
import { grown } from '../base/grown.ts'
import { CHUNK_BYTES_MAX, CHUNK_ROWS_MAX, KEY_BYTES_MAX } from '../base/limits.ts'
import type { FeatureView, PlainValue } from '../catalog/catalog.ts'
import { makeKeyWriter } from '../row/entity-key.ts'
import type { Layout } from '../row/layout.ts'
import { describeFound } from '../row/describe-found.ts'
import { RowWriter } from '../row/row-writer.ts'
import { coerceKey, coerceValue } from '../row/value.ts'
import type { Lane, WriteBatch } from '../store/write-batch.ts'
import { ENTRY_ROW, ENTRY_TOMBSTONE, WriteBatchBuilder } from '../store/write-batch.ts'
import type { BoundColumns } from './bind-columns.ts'
import { bindColumns } from './bind-columns.ts'
import type { Column } from './column.ts'
import { valueAt } from './column.ts'
import { CreatedTimes } from './created-times.ts'
import { FixedRows } from './fixed-rows.ts'
import { DELETED_ALLOWED, deletedMarkOf, isDeleted } from './row-marks.ts'
import type { RowNames } from './row-names.ts'
import { namesFor } from './row-names.ts'
import type { Chunk, ColumnChunk, RecordChunk, RowRecord } from './source.ts'
import { UnreadableRow } from './source.ts'
import { futureReason, readTimes, timeReason, timeUsOf } from './time-value.ts'

/** Rows whose fixed parts are written together: they stay in the processor's cache. */
const WINDOW_ROWS = 512
/** Records between two steps of addInSteps: what they take is a fraction of a millisecond. */
const STEP_RECORDS = 64

export type NormaliserOptions = {
  readonly view: FeatureView
  readonly layout: Layout
  readonly names: RowNames
  readonly futureMarginUs: number
  readonly nowUs: () => number
}

export type Reject = {
  /** Number of the row in its file, from 1 (in a body, from 0: as its chunk counts). */
  readonly row: number
  /** '' where it is the row as a whole. */
  readonly column: string
  readonly reason: string
}

export type NormalisedBatch = {
  readonly batch: WriteBatch
  /** For each entry the number of its row, as the chunk counts. */
  readonly rows: Float64Array
}

/** What happened to a chunk's rows that became no entries. */
export type LeftOut = {
  readonly rejects: readonly Reject[]
  /** Rows that lost to one of the same run that was created later: they count as older. */
  readonly lost: readonly number[]
}

type Bad = { readonly column: string; readonly reason: string }

export class Normaliser {
  readonly #options: NormaliserOptions
  readonly #builder = new WriteBatchBuilder()
  readonly #keyWriter: ReturnType<typeof makeKeyWriter>
  readonly #keyValues: PlainValue[]
  readonly #rowWriter: RowWriter
  readonly #fixed: FixedRows
  readonly #times = new Float64Array(WINDOW_ROWS)
  readonly #created = new Float64Array(WINDOW_ROWS)
  /** 1 for each row of the window that is a delete. */
  readonly #deleted = new Uint8Array(WINDOW_ROWS)
  readonly #createdTimes: CreatedTimes | undefined
  readonly #deletedMark: string
  readonly #isPartial: boolean
  /** Rows of the window that are not to be written, by their place in it. */
  readonly #bad = new Map<number, Bad>()
  #entryRows = new Float64Array(1024)
  #rejects: Reject[] = []
  #lost: number[] = []
  #latestUs = 0
  /** Column at work, for the reject if its value is refused. */
  #column = ''
  #rowWords = new Int32Array(0)

  constructor(options: NormaliserOptions) {
    const { view, layout, names } = options
    this.#options = options
    this.#keyWriter = makeKeyWriter(view.joinKeys)
    this.#keyValues = view.joinKeys.map(() => null)
    this.#rowWriter = new RowWriter(layout)
    this.#fixed = new FixedRows(layout, WINDOW_ROWS)
    this.#createdTimes = names.created === '' ? undefined : new CreatedTimes()
    this.#deletedMark = deletedMarkOf(names)
    this.#isPartial = layout.times && names.isStrict
  }

  /** Entries that wait to be taken. */
  get count(): number {
    return this.#builder.count
  }

  get isFull(): boolean {
    return this.#builder.count >= CHUNK_ROWS_MAX || this.#builder.bytes >= CHUNK_BYTES_MAX
  }

  /** Adds a chunk's rows; yields whenever so many entries wait that they are to be taken. */
  *add(chunk: Chunk): Generator<void> {
    for (const _ of this.addInSteps(chunk)) if (this.isFull) yield
  }

  /** The same, and yields every few rows too, so that others of this thread get their turn: see isFull. */
  addInSteps(chunk: Chunk): Generator<void> {
    const { nowUs, futureMarginUs, names, view } = this.#options
    this.#latestUs = nowUs() + futureMarginUs
    if (chunk.kind === 'records') return this.#addRecords(chunk)
    const isWhole = !this.#isPartial || holdsAll(chunk, names, view)
    return isWhole ? this.#addColumns(chunk) : this.#addParts(chunk)
  }

  /** The waiting entries, for a table and a layout by their numbers in the store. */
  take(table: number, layout: number, lane: Lane): NormalisedBatch {
    const rows = this.#entryRows.slice(0, this.#builder.count)
    return { rows, batch: this.#builder.take(table, layout, lane) }
  }

  /** What was left out since the last call. */
  takeLeftOut(): LeftOut {
    const leftOut = { rejects: this.#rejects, lost: this.#lost }
    this.#rejects = []
    this.#lost = []
    return leftOut
  }

  *#addColumns(chunk: ColumnChunk): Generator<void> {
    const { view, names } = this.#options
    const has = (name: string): boolean => chunk.columns.some((column) => column.name === name)
    const bound = bindColumns(view, namesFor(names, view, has), chunk)
    for (let start = 0; start < chunk.rows; start += WINDOW_ROWS) {
      const count = Math.min(WINDOW_ROWS, chunk.rows - start)
      this.#fillWindow(bound, chunk, start, count)
      for (let place = 0; place < count; place++) {
        const rowNumber = chunk.firstRow + start + place
        const bad = this.#bad.get(place) ?? this.#addColumnRow(bound, start, place, rowNumber)
        if (bad !== undefined) this.#rejects.push({ row: rowNumber, ...bad })
        if (this.isFull) yield
      }
      yield
    }
  }

  /** Times and fixed parts of the rows from `start` on; those of bad rows are void. */
  #fillWindow(bound: BoundColumns, chunk: ColumnChunk, start: number, count: number): void {
    this.#bad.clear()
    if (chunk.unreadable.size > 0) this.#markUnreadable(chunk, start, count)
    const { timeUnit } = this.#options.names
    readTimes(bound.time, timeUnit, start, count, this.#times)
    for (let place = 0; place < count; place++) {
      if (!(this.#times[place]! <= this.#latestUs)) this.#markTime(bound.time, start, place)
    }
    if (bound.created !== undefined) {
      readTimes(bound.created, timeUnit, start, count, this.#created)
    }
    this.#markDeleted(bound.deleted, start, count)
    this.#fixed.begin(count)
    for (const position of bound.fixedPositions) this.#fillFeature(bound, position, start, count)
  }

  #markUnreadable(chunk: ColumnChunk, start: number, count: number): void {
    for (let place = 0; place < count; place++) {
      const unreadable = chunk.unreadable.get(start + place)
      if (unreadable !== undefined) this.#bad.set(place, { column: '', reason: unreadable.reason })
    }
  }

  #markDeleted(column: Column | undefined, start: number, count: number): void {
    this.#deleted.fill(0)
    if (column === undefined) return
    for (let place = 0; place < count; place++) {
      if (this.#bad.has(place)) continue // what the columns hold there is void
      const value = valueAt(column, start + place)
      const deleted = isDeleted(value)
      if (deleted === undefined) this.#bad.set(place, badMark(this.#deletedMark, value))
      else this.#deleted[place] = deleted ? 1 : 0
    }
  }

  #markTime(column: Column, start: number, place: number): void {
    if (this.#bad.has(place)) return
    const value = column.form === 'time' ? undefined : valueAt(column, start + place)
    this.#bad.set(place, this.#badTime(this.#times[place]!, value))
  }

  #badTime(timeUs: number, value: unknown): Bad {
    const { names, futureMarginUs } = this.#options
    const reason = Number.isNaN(timeUs)
      ? timeReason(value, names.timeUnit)
      : futureReason(timeUs, futureMarginUs)
    return { column: names.time, reason }
  }

  #fillFeature(bound: BoundColumns, position: number, start: number, count: number): void {
    if (this.#fixed.writeColumn(position, bound.features[position]!, start, count)) return
    const read = bound.readers[position]!
    const readOrMark = (place: number): PlainValue => {
      if (this.#bad.has(place) || this.#deleted[place] === 1) return null
      try {
        return read(start + place)
      } catch (thrown) {
        this.#bad.set(place, badOf(this.#options.names.features[position]!, thrown))
        return null
      }
    }
    this.#fixed.writeEach(position, readOrMark, count)
  }

  /** Undefined if the row became an entry, or lost. */
  #addColumnRow(
    bound: BoundColumns,
    start: number,
    place: number,
    rowNumber: number,
  ): Bad | undefined {
    const { joinKeys } = this.#options.names
    try {
      for (let key = 0; key < joinKeys.length; key++) {
        this.#column = joinKeys[key]!
        this.#keyValues[key] = bound.keyReaders[key]!(start + place)
      }
      const keyBytes = this.#writeKey()
      const timeUs = this.#times[place]!
      if (!this.#isLatest(keyBytes, timeUs, this.#created[place]!, rowNumber)) return undefined
      if (this.#deleted[place] === 1) {
        this.#commit(ENTRY_TOMBSTONE, timeUs, keyBytes, 0, rowNumber)
        return undefined
      }
      const isFixed = bound.heapPositions.length === 0
      const rowBytes = isFixed
        ? this.#copyFixed(place)
        : this.#writeHeapRow(bound, start + place, place)
      this.#commit(ENTRY_ROW, timeUs, keyBytes, rowBytes, rowNumber)
      return undefined
    } catch (thrown) {
      return badOf(this.#column, thrown)
    }
  }

  #writeKey(): number {
    const keyStart = this.#builder.reserveKey(KEY_BYTES_MAX)
    return this.#keyWriter.write(this.#keyValues, this.#builder.keys, keyStart)
  }

  #isLatest(keyBytes: number, timeUs: number, createdUs: number, rowNumber: number): boolean {
    if (this.#createdTimes === undefined) return true
    const { keys, keysUsed } = this.#builder
    if (this.#createdTimes.offer(keys, keysUsed, keyBytes, timeUs, createdUs)) return true
    this.#lost.push(rowNumber)
    return false
  }

  #copyFixed(place: number): number {
    const { fixedBytes, times } = this.#options.layout
    const rowStart = this.#builder.reserveRow(fixedBytes)
    const { rows } = this.#builder
    if (this.#rowWords.buffer !== rows.buffer) this.#rowWords = new Int32Array(rows.buffer)
    const { words } = this.#fixed
    const source = (place * fixedBytes) >> 2
    const target = rowStart >> 2
    for (let word = 0; word < fixedBytes >> 2; word++) {
      this.#rowWords[target + word] = words[source + word]!
    }
    if (times) this.#stampFeatures(rowStart, this.#times[place]!)
    return fixedBytes
  }

  /** The heap by the row writer, then the slots and their presence beside it. */
  #writeHeapRow(bound: BoundColumns, row: number, place: number): number {
    const { presenceStart, presenceBytes, fixedBytes, times } = this.#options.layout
    const timeUs = this.#times[place]!
    this.#rowWriter.begin(timeUs)
    for (const position of bound.heapPositions) {
      this.#column = this.#options.names.features[position]!
      bound.heapSetters[position]!(this.#rowWriter, row)
    }
    this.#column = ''
    const rowStart = this.#builder.reserveRow(this.#rowWriter.byteLength)
    const { rows } = this.#builder
    const rowBytes = this.#rowWriter.finish(rows, rowStart)
    const source = place * fixedBytes
    const { bytes } = this.#fixed
    for (let at = 0; at < presenceStart; at++) rows[rowStart + at] = bytes[source + at]!
    for (let at = presenceStart; at < presenceStart + presenceBytes; at++) {
      rows[rowStart + at] = rows[rowStart + at]! | bytes[source + at]!
    }
    if (times) this.#stampFeatures(rowStart, timeUs)
    return rowBytes
  }

  /** A whole row decides every feature. */
  #stampFeatures(rowStart: number, timeUs: number): void {
    const { rows } = this.#builder
    const { features } = this.#options.layout
    new Float64Array(rows.buffer, rowStart, features.length).fill(timeUs)
  }

  #commit(
    kind: number,
    timeUs: number,
    keyBytes: number,
    rowBytes: number,
    rowNumber: number,
  ): void {
    const place = this.#builder.count
    if (place === this.#entryRows.length) {
      this.#entryRows = grown(this.#entryRows, new Float64Array(place * 2))
    }
    this.#entryRows[place] = rowNumber
    this.#builder.commit(kind, timeUs, keyBytes, rowBytes)
  }

  /** Columns that make parts of rows: what is not among them is to stay as it is stored. */
  *#addParts(chunk: ColumnChunk): Generator<void> {
    for (let start = 0; start < chunk.rows; start += STEP_RECORDS) {
      const count = Math.min(STEP_RECORDS, chunk.rows - start)
      yield* this.#addRecords(recordsOf(chunk, start, count))
    }
  }

  *#addRecords(chunk: RecordChunk): Generator<void> {
    for (let index = 0; index < chunk.rows; index++) {
      const rowNumber = chunk.firstRow + index
      const bad = this.#addRecord(chunk.records[index]!, rowNumber)
      if (bad !== undefined) this.#rejects.push({ row: rowNumber, ...bad })
      if (this.isFull || index % STEP_RECORDS === STEP_RECORDS - 1) yield
    }
  }

  #addRecord(record: RowRecord | UnreadableRow, rowNumber: number): Bad | undefined {
    if (record instanceof UnreadableRow) return { column: '', reason: record.reason }
    const { view } = this.#options
    const names = namesFor(this.#options.names, view, (name) => fieldOf(record, name) !== undefined)
    const timeUs = timeUsOf(fieldOf(record, names.time), names.timeUnit)
    if (!(timeUs <= this.#latestUs)) return this.#badTime(timeUs, fieldOf(record, names.time))
    const mark = this.#deletedMark === '' ? undefined : fieldOf(record, this.#deletedMark)
    const deleted = isDeleted(mark)
    if (deleted === undefined) return badMark(this.#deletedMark, mark)
    const misfit = names.isStrict ? this.#findMisfit(record, names, deleted) : undefined
    if (misfit !== undefined) return misfit
    try {
      for (let key = 0; key < view.joinKeys.length; key++) {
        this.#column = names.joinKeys[key]!
        const value = fieldOf(record, this.#column) ?? null
        this.#keyValues[key] = coerceKey(view.joinKeys[key]!, value)
      }
      const keyBytes = this.#writeKey()
      const createdUs = timeUsOf(fieldOf(record, names.created), names.timeUnit)
      if (!this.#isLatest(keyBytes, timeUs, createdUs, rowNumber)) return undefined
      if (deleted) this.#commit(ENTRY_TOMBSTONE, timeUs, keyBytes, 0, rowNumber)
      else {
        const rowBytes = this.#writeRecord(record, names, timeUs)
        this.#commit(ENTRY_ROW, timeUs, keyBytes, rowBytes, rowNumber)
      }
      return undefined
    } catch (thrown) {
      return badOf(this.#column, thrown)
    }
  }

  /** What a row lacks, or its view does not know. A delete needs its key and its time alone. */
  #findMisfit(record: RowRecord, names: RowNames, deleted: boolean): Bad | undefined {
    const isPart = deleted || this.#isPartial
    const needed = isPart ? [...names.joinKeys, names.time] : names.needed
    const missing = needed.find((name) => fieldOf(record, name) === undefined)
    if (missing !== undefined) return { column: missing, reason: isPart ? NEEDED : WHOLE_NEEDED }
    const fields = Object.keys(record)
    if (!isPart && fields.length === names.needed.length) return undefined
    const isKnown = (name: string): boolean =>
      names.needed.includes(name) || name === this.#deletedMark
    const unknown = fields.find((name) => !isKnown(name))
    if (unknown !== undefined) return { column: unknown, reason: UNKNOWN_REASON }
    if (deleted || !this.#isPartial || holdsSome(record, names.features)) return undefined
    return { column: '', reason: NO_FEATURE_REASON }
  }

  #writeRecord(record: RowRecord, names: RowNames, timeUs: number): number {
    const { features } = this.#options.view
    const writer = this.#rowWriter
    writer.begin(timeUs)
    for (let position = 0; position < features.length; position++) {
      this.#column = names.features[position]!
      const value = fieldOf(record, this.#column)
      if (value === undefined && this.#isPartial) continue // it stays as it is stored
      writer.set(position, coerceValue(features[position]!, value))
    }
    this.#column = ''
    const rowStart = this.#builder.reserveRow(writer.byteLength)
    return writer.finish(this.#builder.rows, rowStart)
  }
}

/** Undefined where the record has no such field of its own. */
const fieldOf = (record: RowRecord, name: string): unknown =>
  name in Object.prototype && !Object.hasOwn(record, name) ? undefined : record[name]

const holdsSome = (record: RowRecord, features: readonly string[]): boolean =>
  features.length === 0 || features.some((name) => fieldOf(record, name) !== undefined)

const NEEDED = 'it is missing'
const WHOLE_NEEDED = 'it is missing: a row has to be whole, with null for what is not there'
const UNKNOWN_REASON = 'the view has no such feature or join key'
const NO_FEATURE_REASON = 'it holds no feature'

const badMark = (column: string, value: unknown): Bad => ({
  column,
  reason: `neither true nor false: ${describeFound(value)}; allowed: ${DELETED_ALLOWED}`,
})

/** True if the columns make whole rows. */
function holdsAll(chunk: ColumnChunk, names: RowNames, view: FeatureView): boolean {
  const has = (name: string): boolean => chunk.columns.some((column) => column.name === name)
  return namesFor(names, view, has).needed.every(has)
}

function recordsOf(chunk: ColumnChunk, start: number, count: number): RecordChunk {
  const { file, fileBytesRead, columns, unreadable } = chunk
  const records = Array.from({ length: count }, (_, place): RowRecord | UnreadableRow => {
    const row = start + place
    const values = columns.map(({ name, column }) => [name, valueAt(column, row)] as const)
    return unreadable.get(row) ?? Object.fromEntries(values)
  })
  const firstRow = chunk.firstRow + start
  return { kind: 'records', file, firstRow, rows: count, fileBytesRead, records }
}

/** What refuses a value is a Fault; anything else is a defect, and not of the row. */
function badOf(column: string, thrown: unknown): Bad {
  if (!(thrown instanceof Fault)) throw thrown
  const { message, allowed } = thrown
  return { column, reason: allowed === undefined ? message : `${message}; allowed: ${allowed}` }
}
