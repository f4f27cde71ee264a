/**
 * Feast's tables in DynamoDB as a whole store, for the suites of stores: any reader of them, and the
 * writer. Tables are Feast's: nothing here makes or drops one, and DynamoDB is not asked how many rows
 * there are. A scan can't give keys back, for items hold their hash alone: it yields the 16 bytes of
 * the entity_id in a key's place.
 */
import { Fault } from '../../../src/base/fault.ts'
import { decodeLayout } from '../../../src/row/layout.ts'
import type { ReadBatch } from '../../../src/store/read-batch.ts'
import type {
  RowReader,
  ScanEntry,
  Store,
  StoreStats,
  TableHandle,
  TableSpec,
  TableUse,
  WriteFollower,
} from '../../../src/store/store.ts'
import type { WriteBatch, WriteOutcomes } from '../../../src/store/write-batch.ts'
import type { DynamoCalls } from '../../../src/store/dynamodb/dynamo-client.ts'
import type { DynamoWriter } from '../../../src/store/dynamodb/dynamo-writer.ts'
import { scanPages } from '../../../src/store/dynamodb/scan-pages.ts'
import { StoredItems } from '../../../src/store/dynamodb/stored-items.ts'

type Parts = {
  readonly reader: RowReader & Partial<WriteFollower>
  readonly writer: DynamoWriter
  readonly calls: DynamoCalls
  readonly tableName: (name: string) => string
}

type OpenedTable = {
  readonly spec: TableSpec
  /** As the writer numbers it. */
  readonly written: TableHandle
}

export class DynamoStore implements Store {
  readonly #parts: Parts
  /** Of each name and key signature the first number that the reader gave it. */
  readonly #numbers = new Map<string, number>()
  /** By that number and the reader's of the layout. */
  readonly #opened = new Map<string, OpenedTable>()
  /** By that number, in the layout opened first. */
  readonly #scanned = new Map<number, { readonly spec: TableSpec; readonly layout: number }>()

  constructor(parts: Parts) {
    this.#parts = parts
  }

  readMany(batch: ReadBatch, untilMs: number, gone?: AbortSignal): undefined | Promise<void> {
    return this.#parts.reader.readMany(batch, untilMs, gone)
  }

  tableNumber(name: string, keySignature: string, use: TableUse): number {
    return this.#parts.reader.tableNumber(name, keySignature, use)
  }

  layoutBytes(layout: number): Uint8Array {
    return this.#parts.reader.layoutBytes(layout)
  }

  async openTable(spec: TableSpec): Promise<TableHandle> {
    const written = await this.#parts.writer.openTable(spec)
    const read = this.tableNumber(spec.name, spec.keySignature, wholeUse(spec))
    const identity = JSON.stringify([spec.name, spec.keySignature])
    const table = this.#numbers.get(identity) ?? read
    const layout = this.#layoutNumber(spec.layout)
    this.#numbers.set(identity, table)
    this.#opened.set(`${table}:${layout}`, { spec, written })
    if (!this.#scanned.has(table)) this.#scanned.set(table, { spec, layout })
    return { table, layout }
  }

  /** Readers number layouts from 1, and this one has just been told of it. */
  #layoutNumber(layout: Uint8Array): number {
    let number = 1
    while (Buffer.compare(this.layoutBytes(number), layout) !== 0) number++
    return number
  }

  async writeMany(batch: WriteBatch): Promise<WriteOutcomes> {
    const { spec, written } = this.#of(batch)
    const done = await this.#parts.writer.writeMany({ ...batch, ...written })
    this.#parts.reader.follow?.(spec, batch, done.outcomes)
    return done
  }

  async judgeMany(batch: WriteBatch): Promise<WriteOutcomes> {
    return this.#parts.writer.judgeMany({ ...batch, ...this.#of(batch).written })
  }

  async *scan(table: number): AsyncIterable<ScanEntry> {
    const scanned = this.#scanned.get(table)
    if (scanned === undefined) throw new Error(`table ${table} was not opened`)
    const { spec, layout } = scanned
    const { calls, tableName } = this.#parts
    const items = new StoredItems(decodeLayout(spec.layout))
    for await (const page of scanPages(calls, tableName(spec.name))) {
      const entries: ScanEntry[] = []
      items.readPage(page.reply, (id, { rows, rowStart, rowBytes, timeUs }) => {
        const row = rows.slice(rowStart, rowStart + rowBytes)
        entries.push({ key: Uint8Array.fromHex(id), row, layout, timeUs })
      })
      yield* entries
    }
  }

  async dropTable(): Promise<number> {
    throw new Fault('usage', 'tables in DynamoDB are dropped by Feast', {
      allowed: '`feast apply` without the view, or `feast teardown`',
    })
  }

  stats(): StoreStats {
    return {
      rows: 0,
      tombstones: 0,
      tables: [],
      diskBytes: 0,
      liveBytes: 0,
      segments: 0,
      indexBytes: 0,
      lastSequence: 0,
      counters: this.#parts.writer.counters,
    }
  }

  close(): Promise<void> {
    return this.#parts.writer.close()
  }

  #of({ table, layout }: WriteBatch): OpenedTable {
    const opened = this.#opened.get(`${table}:${layout}`)
    if (opened === undefined) {
      throw new Fault('invalid_request', `table ${table} was not opened in layout ${layout}`)
    }
    return opened
  }
}

const wholeUse = (spec: TableSpec): TableUse => ({
  layout: decodeLayout(spec.layout),
  features: undefined,
  cacheMaxStalenessMs: 0,
  staleIfError: false,
})
