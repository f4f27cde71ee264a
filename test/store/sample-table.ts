/** A small table for tests: an integer key, an integer value and bytes that follow from the value. */
import { valueTypeNamed } from '../../src/catalog/value-type.ts'
import { encodeLayout, makeLayout } from '../../src/row/layout.ts'
import type { OutcomeName } from '../../src/row/order-rule.ts'
import { OUTCOME_NAMES } from '../../src/row/order-rule.ts'
import { FAILED, FOUND, MISSING, ReadBatch } from '../../src/store/read-batch.ts'
import type {
  RowReader,
  RowWriter,
  TableHandle,
  TableSpec,
  TableUse,
} from '../../src/store/store.ts'
import type { Lane, WriteBatch, WriteOutcomes } from '../../src/store/write-batch.ts'
import { ENTRY_ROW, ENTRY_TOMBSTONE, WriteBatchBuilder } from '../../src/store/write-batch.ts'

const features = (...names: readonly [string, string][]) =>
  names.map(([name, type]) => ({ name, type: valueTypeNamed(type)! }))

export const SAMPLE_LAYOUT = makeLayout(features(['value', 'INT64'], ['blob', 'BYTES']), false)

export const SAMPLE_SPEC: TableSpec = {
  name: 'sample',
  keySignature: 'id:INT64',
  layout: encodeLayout(SAMPLE_LAYOUT),
  ttlUs: 0,
}

/** How tests read it: the whole row, and no kept copy of it. */
export const SAMPLE_USE: TableUse = {
  layout: SAMPLE_LAYOUT,
  features: undefined,
  cacheMaxStalenessMs: 0,
  staleIfError: false,
}

/** A row, or without a value a delete. */
export type SampleEntry = {
  readonly id: number
  readonly timeUs: number
  readonly value?: number
  readonly blobBytes?: number
}

export type SampleRow = {
  readonly value: number
  readonly blobBytes: number
  readonly timeUs: number
}

export const KEY_BYTES = 16
const PRESENT_BOTH = 0b1010

export function writeSampleKey(target: Uint8Array, start: number, id: number): void {
  const view = new DataView(target.buffer, target.byteOffset + start, KEY_BYTES)
  view.setUint32(0, 4, true)
  view.setUint32(4, 8, true)
  view.setBigInt64(8, BigInt(id), true)
}

export const readSampleId = (key: Uint8Array): number =>
  Number(new DataView(key.buffer, key.byteOffset + 8, 8).getBigInt64(0, true))

export const sampleRowBytes = (blobBytes: number): number => (16 + blobBytes + 7) & ~7

const blobByte = (value: number, place: number): number => (value * 31 + place * 7) & 255

export function writeSampleRow(
  target: Uint8Array,
  start: number,
  { value, blobBytes }: { readonly value: number; readonly blobBytes: number },
): void {
  const bytes = sampleRowBytes(blobBytes)
  const view = new DataView(target.buffer, target.byteOffset + start, bytes)
  target.fill(0, start, start + bytes)
  view.setBigInt64(0, BigInt(value), true)
  view.setUint8(8, PRESENT_BOTH)
  view.setUint32(12, blobBytes, true)
  for (let place = 0; place < blobBytes; place++) {
    target[start + 16 + place] = blobByte(value, place)
  }
}

/** The row's content; throws if its bytes do not fit together, as those of a torn row would not. */
export function readSampleRow(row: Uint8Array, timeUs: number): SampleRow {
  const view = new DataView(row.buffer, row.byteOffset, row.length)
  const value = Number(view.getBigInt64(0, true))
  const blobBytes = view.getUint32(12, true)
  const isWhole =
    view.getUint8(8) === PRESENT_BOTH &&
    row.length === sampleRowBytes(blobBytes) &&
    row.subarray(16, 16 + blobBytes).every((byte, place) => byte === blobByte(value, place))
  if (!isWhole) throw new Error(`not a row that was written: ${row.toHex()}`)
  return { value, blobBytes, timeUs }
}

export function sampleBatch(
  handle: TableHandle,
  entries: readonly SampleEntry[],
  lane: Lane,
): WriteBatch {
  const builder = new WriteBatchBuilder()
  for (const { id, timeUs, value, blobBytes = 8 } of entries) {
    const keyStart = builder.reserveKey(KEY_BYTES)
    writeSampleKey(builder.keys, keyStart, id)
    const rowBytes = value === undefined ? 0 : sampleRowBytes(blobBytes)
    const start = builder.reserveRow(rowBytes)
    if (value !== undefined) writeSampleRow(builder.rows, start, { value, blobBytes })
    builder.commit(value === undefined ? ENTRY_TOMBSTONE : ENTRY_ROW, timeUs, KEY_BYTES, rowBytes)
  }
  return builder.take(handle.table, handle.layout, lane)
}

export const outcomeNames = ({ outcomes }: WriteOutcomes): OutcomeName[] =>
  Array.from(outcomes, (outcome) => OUTCOME_NAMES[outcome]!)

/** The sample table of one store. */
export class SampleTable {
  readonly handle: TableHandle
  readonly #reader: RowReader
  readonly #writer: RowWriter
  readonly #batch = new ReadBatch(16, 256, 1024)

  constructor(handle: TableHandle, reader: RowReader, writer: RowWriter) {
    this.handle = handle
    this.#reader = reader
    this.#writer = writer
  }

  static async open(store: RowReader & RowWriter, spec = SAMPLE_SPEC): Promise<SampleTable> {
    return new SampleTable(await store.openTable(spec), store, store)
  }

  async write(entries: readonly SampleEntry[], lane: Lane = 'direct'): Promise<OutcomeName[]> {
    return outcomeNames(await this.#writer.writeMany(sampleBatch(this.handle, entries, lane)))
  }

  /** For each id its row, undefined if it is missing, 'failed' if it can't be read. */
  async read(ids: readonly number[]): Promise<(SampleRow | undefined | 'failed')[]> {
    const batch = this.#batch
    batch.reset()
    for (const id of ids) {
      const start = batch.reserveKey(KEY_BYTES)
      writeSampleKey(batch.keys, start, id)
      batch.commitKey(this.handle.table, KEY_BYTES)
    }
    await this.#reader.readMany(batch, Infinity)
    return ids.map((_, place) => this.#answer(place))
  }

  #answer(place: number): SampleRow | undefined | 'failed' {
    const { states, rowStarts, rowBytes, rows, times } = this.#batch
    if (states[place] === MISSING) return undefined
    if (states[place] === FAILED) return 'failed'
    if (states[place] !== FOUND) throw new Error(`state ${states[place]} after a whole read`)
    const start = rowStarts[place]!
    return readSampleRow(rows.subarray(start, start + rowBytes[place]!), times[place]!)
  }
}
