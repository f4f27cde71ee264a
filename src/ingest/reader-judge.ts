/**
 * What would happen to rows, told by a store that is only read: for a dry run, which then leaves no
 * trace in the data directory. A tombstone is not seen by a reader: a row that it would have refused
 * counts as new.
 */
import { Fault } from '../base/fault.ts'
import type { FeatureView } from '../catalog/catalog.ts'
import type { Layout } from '../row/layout.ts'
import { decodeLayout, encodeLayout } from '../row/layout.ts'
import { RowMerger } from '../row/merge.ts'
import { OUTCOME, judgeRow } from '../row/order-rule.ts'
import { transcodeRow, transcodedBytesMax } from '../row/transcode.ts'
import { viewLayout } from '../row/view-layout.ts'
import { FOUND, MISSING, ReadBatch } from '../store/read-batch.ts'
import type { RowReader } from '../store/store.ts'
import { readTableOf } from '../store/view-table.ts'
import type { WriteBatch } from '../store/write-batch.ts'
import { NO_UNITS } from '../store/write-batch.ts'
import type { Sink } from './sink.ts'

/** Without a store every row is new. */
export const emptyJudge: Sink = {
  table: 0,
  layout: 0,
  write: async (batch) => ({
    outcomes: new Uint8Array(batch.count).fill(OUTCOME.new),
    bytesWritten: 0,
    ...NO_UNITS,
    refused: [],
  }),
}

export function readerJudge(reader: RowReader, view: FeatureView): Sink {
  const table = readTableOf(view, undefined, reader)
  if (table === 0) return emptyJudge
  const judge = new ReaderJudge(reader, viewLayout(view))
  return {
    table,
    layout: 0,
    write: async (batch) => ({
      outcomes: await judge.outcomesOf(batch),
      bytesWritten: 0,
      ...NO_UNITS,
      refused: [],
    }),
  }
}

class ReaderJudge {
  readonly #reader: RowReader
  readonly #layout: Layout
  readonly #layoutText: string
  readonly #merger: RowMerger | undefined
  readonly #found = new ReadBatch(1024, 64 * 1024, 256 * 1024)
  /** By the layout's number; undefined for the view's own. */
  readonly #layouts = new Map<number, Layout | undefined>()
  #room: Uint8Array = new Uint8Array(1024)
  #merged: Uint8Array = new Uint8Array(1024)

  constructor(reader: RowReader, layout: Layout) {
    this.#reader = reader
    this.#layout = layout
    this.#layoutText = textOf(encodeLayout(layout))
    this.#merger = layout.times ? new RowMerger(layout) : undefined
  }

  async outcomesOf(batch: WriteBatch): Promise<Uint8Array> {
    const found = this.#found
    found.reset()
    for (let place = 0; place < batch.count; place++) {
      const start = batch.keyStarts[place]!
      const bytes = batch.keyBytes[place]!
      const at = found.reserveKey(bytes)
      found.keys.set(batch.keys.subarray(start, start + bytes), at)
      found.commitKey(batch.table, bytes)
    }
    await this.#reader.readMany(found, Infinity)
    return Uint8Array.from({ length: batch.count }, (_, place) => this.#judge(batch, place))
  }

  #judge(batch: WriteBatch, place: number): number {
    const found = this.#found
    const state = found.states[place]
    if (state === MISSING) return OUTCOME.new
    if (state !== FOUND) throw new Fault('unavailable', 'a stored row could not be read')
    const { bytes, start, rowBytes } = this.#storedRow(place)
    const storedTimeUs = found.times[place]!
    const from = batch.rowStarts[place]!
    if (this.#merger === undefined) {
      const isSame = (): boolean =>
        rowBytes === batch.rowBytes[place] &&
        Buffer.compare(
          bytes.subarray(start, start + rowBytes),
          batch.rows.subarray(from, from + rowBytes),
        ) === 0
      return judgeRow('row', storedTimeUs, batch.times[place]!, isSame)
    }
    this.#merger.onto('row', storedTimeUs, bytes, start, rowBytes)
    this.#merged = roomFor(this.#merged, this.#merger.rowBytesMax(batch.rowBytes[place]!))
    return this.#merger.mergeRow(batch.rows, from, this.#merged, 0)
  }

  /** In the view's layout of today. */
  #storedRow(place: number): { bytes: Uint8Array; start: number; rowBytes: number } {
    const { rows, rowStarts, rowBytes, layouts, times } = this.#found
    const start = rowStarts[place]!
    const storedBytes = rowBytes[place]!
    const from = this.#layoutNumbered(layouts[place]!)
    if (from === undefined) return { bytes: rows, start, rowBytes: storedBytes }
    this.#room = roomFor(this.#room, transcodedBytesMax(from, this.#layout, storedBytes))
    const target = this.#room
    const timeUs = times[place]!
    const written = transcodeRow(from, this.#layout, rows, start, storedBytes, target, 0, timeUs)
    return { bytes: target, start: 0, rowBytes: written }
  }

  #layoutNumbered(number: number): Layout | undefined {
    if (!this.#layouts.has(number)) {
      const bytes = this.#reader.layoutBytes(number)
      const isOwn = textOf(bytes) === this.#layoutText
      this.#layouts.set(number, isOwn ? undefined : decodeLayout(bytes))
    }
    return this.#layouts.get(number)
  }
}

const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

const roomFor = (buffer: Uint8Array, bytes: number): Uint8Array =>
  buffer.length >= bytes ? buffer : new Uint8Array(Math.max(bytes, buffer.length * 2))
