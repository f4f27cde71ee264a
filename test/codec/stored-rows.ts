/** Rows put into a real embedded store in a folder of its own, as MemoryRows takes them. */
import type { FeatureView, PlainValue } from '../../src/catalog/catalog.ts'
import { makeKeyWriter } from '../../src/row/entity-key.ts'
import { RowWriter } from '../../src/row/row-writer.ts'
import { viewLayout } from '../../src/row/view-layout.ts'
import type { EmbeddedStore } from '../../src/store/embedded/embedded-store.ts'
import { openEmbeddedStore } from '../../src/store/embedded/embedded-store.ts'
import { tableSpecOf } from '../../src/store/view-table.ts'
import { ENTRY_ROW, WriteBatchBuilder } from '../../src/store/write-batch.ts'
import { KEY_BYTES_MAX } from '../../src/base/limits.ts'
import { newDirectory, removeDirectory } from '../store/data-directory.ts'

export class StoredRows {
  readonly #directory = newDirectory()
  readonly #waiting = new Map<FeatureView, WriteBatchBuilder>()
  #store: EmbeddedStore | undefined

  put(
    view: FeatureView,
    key: readonly PlainValue[],
    values: Readonly<Record<string, PlainValue>>,
    timeUs: number,
  ): void {
    const batch = this.#waiting.get(view) ?? new WriteBatchBuilder()
    this.#waiting.set(view, batch)
    const writer = new RowWriter(viewLayout(view))
    writer.begin(timeUs)
    view.features.forEach(({ name }, position) => {
      if (name in values) writer.set(position, values[name]!)
    })
    const keyStart = batch.reserveKey(KEY_BYTES_MAX)
    const keyBytes = makeKeyWriter(view.joinKeys).write(key, batch.keys, keyStart)
    const rowStart = batch.reserveRow(writer.byteLength)
    batch.commit(ENTRY_ROW, timeUs, keyBytes, writer.finish(batch.rows, rowStart))
  }

  /** The store, with every row that was put. */
  async open(): Promise<EmbeddedStore> {
    const store = await openEmbeddedStore({ dir: this.#directory, durability: 'process' })
    this.#store = store
    for (const [view, batch] of this.#waiting) {
      const { table, layout } = await store.openTable(tableSpecOf(view))
      await store.writeMany(batch.take(table, layout, 'direct'))
    }
    return store
  }

  async close(): Promise<void> {
    await this.#store?.close()
    removeDirectory(this.#directory)
  }
}
