/** A row writer whose writes are told to every serving thread before they are answered. */
import type { JudgingWriter } from '../ingest/store-sink.ts'
import type { StoreStats, TableHandle, TableSpec } from '../store/store.ts'
import { emptyStats } from '../store/empty-stats.ts'
import type { WriteBatch, WriteOutcomes } from '../store/write-batch.ts'
import type { ServedWriter } from './writer-side.ts'

/** A batch that is durable, for the followers (store.ts) of other threads. */
export type RowsWritten = {
  readonly number: number
  readonly spec: TableSpec
  readonly batch: WriteBatch
  /** Undefined where the write failed: some of its rows may have been written. */
  readonly outcomes: Uint8Array | undefined
}

const NO_BYTES = new Uint8Array(0)

type Reader = { readonly post: (update: RowsWritten) => void; acknowledged: number }

/** A table as serving threads ask for it; opened in the store when its first row comes. */
type Table = { readonly spec: TableSpec; opened: Promise<TableHandle> | undefined }

export class FollowedWriter implements ServedWriter<RowsWritten, null> {
  readonly #writer: JudgingWriter
  readonly #tellsRows: boolean
  readonly #counters: () => Readonly<Record<string, number>>
  readonly #readers: Reader[] = []
  readonly #tables: Table[] = []
  #lastNumber = 0
  /** Writes that wait for the readers, each with the number they have to reach. */
  readonly #waiting: { readonly number: number; readonly resolve: () => void }[] = []
  readonly #writing = new Set<Promise<unknown>>()

  /** `tellsRows`: followers keep rows, and do not only let go of them. */
  constructor(
    writer: JudgingWriter,
    counters: () => Readonly<Record<string, number>>,
    tellsRows: boolean,
  ) {
    this.#writer = writer
    this.#counters = counters
    this.#tellsRows = tellsRows
  }

  attachReader(post: (update: RowsWritten) => void): { reader: number; index: null } {
    return { reader: this.#readers.push({ post, acknowledged: 0 }) - 1, index: null }
  }

  acknowledge(reader: number, update: number): void {
    this.#readers[reader]!.acknowledged = update
    const known = this.#readers.reduce(
      (least, each) => Math.min(least, each.acknowledged),
      Infinity,
    )
    while (this.#waiting.length > 0 && this.#waiting[0]!.number <= known) {
      this.#waiting.shift()!.resolve()
    }
  }

  /** A table that is missing, or a store that is away, is told to who writes to it, not to all. */
  async openTable(spec: TableSpec): Promise<TableHandle> {
    const known = this.#tables.findIndex((table) => isSame(table.spec, spec))
    const table = known === -1 ? this.#tables.push({ spec, opened: undefined }) : known + 1
    return { table, layout: table }
  }

  async writeMany(batch: WriteBatch): Promise<WriteOutcomes> {
    const writing = this.#write(batch)
    this.#writing.add(writing)
    const ended = (): void => void this.#writing.delete(writing)
    writing.then(ended, ended)
    return writing
  }

  /** The outcomes that `writeMany` would give now. */
  async judgeMany(batch: WriteBatch): Promise<WriteOutcomes> {
    return this.#writer.judgeMany(await this.#numbered(batch))
  }

  stats(): StoreStats {
    return { ...emptyStats, counters: this.#counters() }
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#writing)
  }

  async #write(batch: WriteBatch): Promise<WriteOutcomes> {
    const numbered = await this.#numbered(batch)
    try {
      const written = await this.#writer.writeMany(numbered)
      await this.#tell(batch, written.outcomes)
      return written
    } catch (thrown) {
      await this.#tell(batch, undefined)
      throw thrown
    }
  }

  /** The batch under the store's own numbers. */
  async #numbered(batch: WriteBatch): Promise<WriteBatch> {
    const { table, layout } = await this.#opened(this.#tables[batch.table - 1]!)
    return { ...batch, table, layout }
  }

  /** Rows are copied from thread to thread: where nobody keeps them their keys are enough. */
  #told(batch: WriteBatch): WriteBatch {
    return this.#tellsRows ? batch : { ...batch, rows: NO_BYTES }
  }

  #opened(table: Table): Promise<TableHandle> {
    table.opened ??= this.#writer.openTable(table.spec).catch((thrown: unknown) => {
      table.opened = undefined // the next write tries again
      throw thrown
    })
    return table.opened
  }

  #tell(batch: WriteBatch, outcomes: Uint8Array | undefined): Promise<void> {
    const { spec } = this.#tables[batch.table - 1]!
    const number = ++this.#lastNumber
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting.push({ number, resolve })
    for (const { post } of this.#readers) post({ number, spec, batch: this.#told(batch), outcomes })
    return promise
  }
}

const isSame = (one: TableSpec, other: TableSpec): boolean =>
  one.name === other.name &&
  one.keySignature === other.keySignature &&
  one.ttlUs === other.ttlUs &&
  Buffer.compare(one.layout, other.layout) === 0
