/** A RowReader over a Map: rows are put in whole, and each look-up's state can be chosen. */
import type { FeatureView, PlainValue } from '../../src/catalog/catalog.ts'
import { keySignature, makeKeyWriter } from '../../src/row/entity-key.ts'
import type { Layout } from '../../src/row/layout.ts'
import { encodeLayout } from '../../src/row/layout.ts'
import { RowWriter } from '../../src/row/row-writer.ts'
import { viewLayout } from '../../src/row/view-layout.ts'
import { FOUND, MISSING } from '../../src/store/read-batch.ts'
import type { ReadBatch } from '../../src/store/read-batch.ts'
import type { RowReader } from '../../src/store/store.ts'

type Kept = { readonly row: Uint8Array; readonly layout: number; readonly timeUs: number }

export class MemoryRows implements RowReader {
  readonly #tables: string[] = []
  readonly #layouts: Uint8Array[] = []
  readonly #rows = new Map<string, Kept>()
  /** State answered for a key instead of what is there, by its place in the batch. */
  readonly states = new Map<number, number>()
  /** Keys that were asked for since the last look. */
  keysRead = 0
  /** Set to make every read wait for it. */
  gate: Promise<void> | undefined

  put(
    view: FeatureView,
    key: readonly PlainValue[],
    values: Readonly<Record<string, PlainValue>>,
    timeUs: number,
    layout: Layout = viewLayout(view),
  ): void {
    const writer = new RowWriter(layout)
    writer.begin(timeUs)
    layout.features.forEach(({ name }, position) => {
      if (name in values) writer.set(position, values[name]!)
    })
    const row = new Uint8Array(writer.byteLength)
    writer.finish(row, 0)
    const bytes = new Uint8Array(1024)
    const length = makeKeyWriter(view.joinKeys).write(key, bytes, 0)
    const table = this.#openTable(view)
    const id = `${table} ${bytes.subarray(0, length).toHex()}`
    this.#rows.set(id, { row, layout: this.#layoutNumber(layout), timeUs })
  }

  readMany(batch: ReadBatch, _untilMs: number): undefined | Promise<void> {
    this.keysRead += batch.count
    for (let place = 0; place < batch.count; place++) this.#readOne(batch, place)
    return this.gate
  }

  tableNumber(name: string, signature: string): number {
    return this.#tables.indexOf(`${name} ${signature}`) + 1
  }

  layoutBytes(layout: number): Uint8Array {
    return this.#layouts[layout - 1]!
  }

  #readOne(batch: ReadBatch, place: number): void {
    const start = batch.keyStarts[place]!
    const key = batch.keys.subarray(start, start + batch.keyBytes[place]!)
    const kept = this.#rows.get(`${batch.tables[place]} ${key.toHex()}`)
    const state = this.states.get(place) ?? (kept === undefined ? MISSING : FOUND)
    batch.states[place] = state
    if (state !== FOUND || kept === undefined) return
    const rowStart = batch.reserveRow(kept.row.length)
    batch.rows.set(kept.row, rowStart)
    batch.rowStarts[place] = rowStart
    batch.rowBytes[place] = kept.row.length
    batch.layouts[place] = kept.layout
    batch.times[place] = kept.timeUs
  }

  #openTable(view: FeatureView): number {
    const id = `${view.table} ${keySignature(view.joinKeys)}`
    if (!this.#tables.includes(id)) this.#tables.push(id)
    return this.#tables.indexOf(id) + 1
  }

  #layoutNumber(layout: Layout): number {
    const bytes = encodeLayout(layout)
    const known = this.#layouts.findIndex((each) => Buffer.compare(each, bytes) === 0)
    return known === -1 ? this.#layouts.push(bytes) : known + 1
  }
}
