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

type Reader = { readonly post: (update: RowsWritten) => void; acknowledged: number }

/** A table as serving threads ask for it; opened in the store when its first row comes. */
type Table = { readonly spec: TableSpec; opened: Promise<TableHandle> | undefined }

export class FollowedWriter implements ServedWriter<RowsWritten, null> {
  readonly #writer: JudgingWriter
  readonly #counters: () => Readonly<Record<string, number>>
  readonly #readers: Reader[] = []
  readonly #tables: Table[] = []
  #lastNumber = 0
  /** Writes that wait for the readers, each with the number they have to reach. */
  readonly #waiting: { readonly number: number; readonly resolve: () => void }[] = []
  #writing: Promise<unknown> = Promise.resolve()

  constructor(writer: JudgingWriter, counters: () => Readonly<Record<string, number>>) {
    this.#writer = writer
    this.#counters = counters
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
    const table = this.#tables.push({ spec, opened: undefined })
    return { table, layout: table }
  }

  async writeMany(batch: WriteBatch): Promise<WriteOutcomes> {
    const writing = this.#write(batch)
    this.#writing = Promise.allSettled([this.#writing, writing])
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
    await this.#writing
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
    for (const { post } of this.#readers) post({ number, spec, batch, outcomes })
    return promise
  }
}
