/** Views with partial writes: what comes is merged with what is stored, feature by feature. */
import { expect, test } from 'bun:test'
import type { PlainValue } from '../../src/catalog/catalog.ts'
import { valueType } from '../../src/catalog/value-type.ts'
import type { Layout } from '../../src/row/layout.ts'
import { encodeLayout, makeLayout } from '../../src/row/layout.ts'
import { readTime, readValue } from '../../src/row/row-reader.ts'
import { RowWriter } from '../../src/row/row-writer.ts'
import type { EmbeddedStore } from '../../src/store/embedded/embedded-store.ts'
import { openEmbeddedStore } from '../../src/store/embedded/embedded-store.ts'
import { FOUND, ReadBatch } from '../../src/store/read-batch.ts'
import type { TableHandle } from '../../src/store/store.ts'
import { ENTRY_ROW, ENTRY_TOMBSTONE, WriteBatchBuilder } from '../../src/store/write-batch.ts'
import { SeededRandom, stepsOf } from '../base/seeded-random.ts'
import { SMALL_SIZES } from './data-directory.ts'
import { MemoryDisk } from './memory-disk.ts'
import { KEY_BYTES, outcomeNames, writeSampleKey } from './sample-table.ts'

const features = [
  { name: 'clicks', type: valueType('INT64') },
  { name: 'name', type: valueType('STRING') },
  { name: 'rate', type: valueType('FLOAT') },
]
const PARTIAL = makeLayout(features, true)
const WHOLE = makeLayout(features, false)

type Values = Readonly<Record<string, PlainValue>>

/** Values of some features as of a time, or a delete. */
type Change = { readonly id: number; readonly timeUs: number; readonly values: Values | undefined }

class PartialTable {
  readonly #store: EmbeddedStore
  readonly #handle: TableHandle
  readonly #layout: Layout

  constructor(store: EmbeddedStore, handle: TableHandle, layout: Layout) {
    this.#store = store
    this.#handle = handle
    this.#layout = layout
  }

  static async open(store: EmbeddedStore, layout = PARTIAL): Promise<PartialTable> {
    const spec = {
      name: 'partial',
      keySignature: 'id:INT64',
      layout: encodeLayout(layout),
      ttlUs: 0,
    }
    return new PartialTable(store, await store.openTable(spec), layout)
  }

  async write(changes: readonly Change[]): Promise<string[]> {
    const builder = new WriteBatchBuilder()
    for (const { id, timeUs, values } of changes) {
      const keyStart = builder.reserveKey(KEY_BYTES)
      writeSampleKey(builder.keys, keyStart, id)
      const rowBytes = values === undefined ? 0 : this.#putRow(builder, timeUs, values)
      builder.commit(rowBytes === 0 ? ENTRY_TOMBSTONE : ENTRY_ROW, timeUs, KEY_BYTES, rowBytes)
    }
    const { table, layout } = this.#handle
    return outcomeNames(await this.#store.writeMany(builder.take(table, layout, 'direct')))
  }

  #putRow(builder: WriteBatchBuilder, timeUs: number, values: Values): number {
    const writer = new RowWriter(this.#layout)
    writer.begin(timeUs)
    this.#layout.features.forEach(({ name }, position) => {
      if (name in values) writer.set(position, values[name]!)
    })
    const start = builder.reserveRow(writer.byteLength)
    return writer.finish(builder.rows, start)
  }

  /** Values and their times by name, as the partial layout says; undefined if the key is missing. */
  read(id: number): Record<string, readonly [PlainValue | undefined, number]> | undefined {
    const batch = new ReadBatch(1, 16, 64)
    const keyStart = batch.reserveKey(KEY_BYTES)
    writeSampleKey(batch.keys, keyStart, id)
    batch.commitKey(this.#handle.table, KEY_BYTES)
    this.#store.readMany(batch)
    if (batch.states[0] !== FOUND) return undefined
    const start = batch.rowStarts[0]!
    const bytes = batch.rowBytes[0]!
    return Object.fromEntries(
      this.#layout.features.map(({ name }, position) => [
        name,
        [
          readValue(this.#layout, batch.rows, start, bytes, position),
          readTime(batch.rows, start, position),
        ],
      ]),
    )
  }
}

const openOn = (disk: MemoryDisk): Promise<EmbeddedStore> =>
  openEmbeddedStore({
    dir: '/store',
    durability: 'sync',
    disk,
    sizes: SMALL_SIZES,
    clock: () => 0,
  })

test('features that are not said keep what they were', async () => {
  const store = await openOn(new MemoryDisk())
  const table = await PartialTable.open(store)
  const outcomes = [
    ...(await table.write([{ id: 1, timeUs: 10, values: { clicks: 1n, name: 'ann' } }])),
    ...(await table.write([{ id: 1, timeUs: 20, values: { rate: 0.5 } }])),
    ...(await table.write([{ id: 1, timeUs: 15, values: { clicks: 2n, rate: 9 } }])),
    ...(await table.write([{ id: 1, timeUs: 12, values: { rate: 9 } }])),
  ]
  expect(outcomes).toEqual(['new', 'changed', 'changed', 'older'])
  expect(table.read(1)).toEqual({ clicks: [2, 15], name: ['ann', 10], rate: [0.5, 20] })
  await store.close()
})

test('parts of one key in one batch are merged with each other', async () => {
  const store = await openOn(new MemoryDisk())
  const table = await PartialTable.open(store)
  const outcomes = await table.write([
    { id: 1, timeUs: 10, values: { clicks: 1n } },
    { id: 1, timeUs: 11, values: { name: 'bob' } },
    { id: 1, timeUs: 12, values: { clicks: 1n } },
    { id: 1, timeUs: 12, values: { clicks: 1n } },
  ])
  expect(outcomes).toEqual(['new', 'changed', 'refreshed', 'unchanged'])
  expect(table.read(1)).toEqual({
    clicks: [1, 12],
    name: ['bob', 11],
    rate: [undefined, -Infinity],
  })
  await store.close()
})

test('a view that becomes partial merges into rows that bear one time', async () => {
  const store = await openOn(new MemoryDisk())
  const whole = await PartialTable.open(store, WHOLE)
  await whole.write([{ id: 1, timeUs: 10, values: { clicks: 1n, name: 'ann', rate: 0.5 } }])
  expect(
    await whole.write([{ id: 1, timeUs: 20, values: { clicks: 1n, name: 'ann', rate: 0.5 } }]),
  ).toEqual(['touched'])
  const table = await PartialTable.open(store)
  expect(await table.write([{ id: 1, timeUs: 15, values: { clicks: 2n } }])).toEqual(['older'])
  expect(await table.write([{ id: 1, timeUs: 30, values: { clicks: 2n } }])).toEqual(['changed'])
  expect(table.read(1)).toEqual({ clicks: [2, 30], name: ['ann', 20], rate: [0.5, 20] })
  await store.close()
})

test('parts in any order of arrival end in the same row', async () => {
  const random = new SeededRandom('partial rows')
  for (let round = 0; round < stepsOf(30); round++) {
    let timeUs = 0
    const changes = Array.from({ length: 20 }, (): Change => {
      timeUs += 1 + random.below(3)
      if (random.chance(0.1)) return { id: random.below(4), timeUs, values: undefined }
      const said = features.filter(() => random.chance(0.5))
      const make = { clicks: () => BigInt(random.below(3)), name: () => random.text(3) }
      const values = said.map(({ name }) => [
        name,
        name === 'clicks' || name === 'name' ? make[name]() : Math.fround(random.next()),
      ])
      return { id: random.below(4), timeUs, values: Object.fromEntries(values) }
    })
    const ends = []
    for (let way = 0; way < 3; way++) {
      const disk = new MemoryDisk()
      let store = await openOn(disk)
      let table = await PartialTable.open(store)
      const arriving = way === 0 ? changes : random.shuffled(changes)
      for (let start = 0; start < arriving.length;) {
        const count = 1 + random.below(5)
        await table.write(arriving.slice(start, start + count))
        start += count
        if (random.chance(0.2)) await store.compact()
      }
      await store.close()
      store = await openOn(disk)
      table = await PartialTable.open(store)
      ends.push([0, 1, 2, 3].map((id) => table.read(id)))
      await store.close()
    }
    expect(ends[1]).toEqual(ends[0]!)
    expect(ends[2]).toEqual(ends[0]!)
  }
}, 600_000)
