/** A store of random Float32 rows under one INT64 key, and its features.yaml: what replies are measured over. */
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { makeRandom } from './random.ts'
import type { ServedStore } from './served.ts'
import { encodeLayout, makeLayout } from '../src/row/layout.ts'
import { valueType } from '../src/catalog/value-type.ts'
import { openEmbeddedStore } from '../src/store/embedded/embedded-store.ts'
import { ENTRY_ROW, WriteBatchBuilder } from '../src/store/write-batch.ts'

const KEY_BYTES = 16
const BATCH_ROWS = 4096

export const SEED = 20260824
/** Event time of every row: 2026-08-20T10:00:00Z. */
const TIME_US = 1_787_220_000_000_000

export async function makeFloatStore(
  folder: string,
  rows: number,
  features: number,
): Promise<ServedStore> {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const names = Array.from({ length: features }, (_, index) => `f${index}`)
  const catalogPath = join(folder, 'features.yaml')
  await Bun.write(catalogPath, makeCatalogText(names))
  const dataDir = join(folder, 'data')
  const layout = makeLayout(
    names.map((name) => ({ name, type: valueType('FLOAT') })),
    false,
  )
  const store = await openEmbeddedStore({ dir: dataDir, durability: 'process' })
  const handle = await store.openTable({
    name: 'documents',
    keySignature: 'document_id:INT64',
    layout: encodeLayout(layout),
    ttlUs: 0,
  })
  const random = makeRandom(SEED)
  const builder = new WriteBatchBuilder()
  for (let id = 0; id < rows; id++) {
    appendRow(builder, id, features, layout.presenceStart, layout.fixedBytes, random)
    if (builder.count === BATCH_ROWS || id === rows - 1) {
      await store.writeMany(builder.take(handle.table, handle.layout, 'batch'))
    }
  }
  await store.close()
  return { catalogPath, dataDir }
}

function makeCatalogText(names: readonly string[]): string {
  const features = names.map((name) => `      - {name: ${name}, type: Float32}`).join('\n')
  return `project: bench
entities:
  - {name: document, join_key: document_id, value_type: Int64}
feature_views:
  - name: documents
    entities: [document]
    features:
${features}
feature_services:
  - {name: ranking, features: [documents]}
`
}

function appendRow(
  builder: WriteBatchBuilder,
  id: number,
  features: number,
  presenceStart: number,
  rowBytes: number,
  random: () => number,
): void {
  const key = builder.reserveKey(KEY_BYTES)
  const keyView = new DataView(builder.keys.buffer, key, KEY_BYTES)
  keyView.setUint32(0, valueType('INT64').number, true)
  keyView.setUint32(4, 8, true)
  keyView.setBigInt64(8, BigInt(id), true)
  const start = builder.reserveRow(rowBytes)
  builder.rows.fill(0, start, start + rowBytes)
  const row = new DataView(builder.rows.buffer, start, rowBytes)
  for (let position = 0; position < features; position++) {
    row.setFloat32(4 * position, random() * 100, true)
    const byte = presenceStart + (position >> 2)
    row.setUint8(byte, row.getUint8(byte) | (2 << (2 * (position & 3))))
  }
  builder.commit(ENTRY_ROW, TIME_US, KEY_BYTES, rowBytes)
}
