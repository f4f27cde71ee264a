/** What every store promises: run over each implementation. A gap is named with its reason. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { valueTypeNamed } from '../../src/catalog/value-type.ts'
import { KEY_BYTES_MAX, ROW_BYTES_MAX } from '../../src/base/limits.ts'
import { encodeLayout, makeLayout } from '../../src/row/layout.ts'
import { FOUND, MISSING, ReadBatch } from '../../src/store/read-batch.ts'
import type { Store } from '../../src/store/store.ts'
import { ENTRY_ROW, WriteBatchBuilder } from '../../src/store/write-batch.ts'
import {
  KEY_BYTES,
  SAMPLE_SPEC,
  SAMPLE_USE,
  SampleTable,
  readSampleId,
  readSampleRow,
  sampleBatch,
  writeSampleKey,
} from './sample-table.ts'

export type StoreUnderTest = {
  readonly name: string
  /** A store with nothing in it; `remove` takes it away when it is closed. */
  readonly open: () => Promise<{ readonly store: Store; readonly remove: () => void }>
  /** Promises that this store does not make: test name and reason. */
  readonly gaps: Readonly<Record<string, string>>
}

export function runStoreSuite({ name, open, gaps }: StoreUnderTest): void {
  let store: Store
  let table: SampleTable
  let remove: () => void

  const promise = (promised: string, check: () => Promise<void>) => {
    if (!(promised in gaps)) test(promised, check)
  }

  describe(`${name} store`, () => {
    beforeEach(async () => {
      ;({ store, remove } = await open())
      table = await SampleTable.open(store)
    })

    afterEach(async () => {
      await store.close()
      remove()
    })

    promise('a key that was never written is missing', async () => {
      expect(await table.read([1, 2])).toEqual([undefined, undefined])
    })

    promise('a key of a table that the store does not have is missing', async () => {
      await table.write([{ id: 1, timeUs: 1, value: 1 }])
      expect(store.tableNumber('no such table', SAMPLE_SPEC.keySignature, SAMPLE_USE)).toBe(0)
      const batch = new ReadBatch(1, 16, 64)
      writeSampleKey(batch.keys, batch.reserveKey(KEY_BYTES), 1)
      batch.commitKey(0, KEY_BYTES)
      await store.readMany(batch, Infinity)
      expect(batch.states[0]).toBe(MISSING)
    })

    promise(
      'an acknowledged row is read by the next request, with its layout and time',
      async () => {
        expect(
          await table.write([{ id: 7, timeUs: 1_000_000, value: -5, blobBytes: 100 }]),
        ).toEqual(['new'])
        expect(await table.read([7])).toEqual([{ value: -5, blobBytes: 100, timeUs: 1_000_000 }])
        const batch = new ReadBatch(1, 16, 64)
        writeSampleKey(batch.keys, batch.reserveKey(KEY_BYTES), 7)
        batch.commitKey(table.handle.table, KEY_BYTES)
        await store.readMany(batch, Infinity)
        expect(batch.layouts[0]).toBe(table.handle.layout)
        expect(store.layoutBytes(batch.layouts[0]!)).toEqual(SAMPLE_SPEC.layout)
      },
    )

    promise('a key asked for twice is answered twice, beside one that is missing', async () => {
      await table.write([{ id: 1, timeUs: 1, value: 10 }])
      const row = { value: 10, blobBytes: 8, timeUs: 1 }
      expect(await table.read([1, 2, 1])).toEqual([row, undefined, row])
    })

    promise('a later row replaces, an older one is dropped', async () => {
      await table.write([{ id: 1, timeUs: 20, value: 1 }])
      expect(await table.write([{ id: 1, timeUs: 10, value: 2 }])).toEqual(['older'])
      expect(await table.write([{ id: 1, timeUs: 30, value: 3 }])).toEqual(['changed'])
      expect(await table.read([1])).toEqual([{ value: 3, blobBytes: 8, timeUs: 30 }])
    })

    promise('of two contents at one time the later arrival wins', async () => {
      await table.write([{ id: 1, timeUs: 20, value: 1 }])
      expect(await table.write([{ id: 1, timeUs: 20, value: 2 }])).toEqual(['changed'])
      expect(await table.read([1])).toEqual([{ value: 2, blobBytes: 8, timeUs: 20 }])
    })

    promise('the same row again writes nothing', async () => {
      await table.write([{ id: 1, timeUs: 20, value: 1 }])
      const again = sampleBatch(table.handle, [{ id: 1, timeUs: 20, value: 1 }], 'batch')
      const { bytesWritten } = await store.writeMany(again)
      expect(bytesWritten).toBe(0)
      expect(await table.write([{ id: 1, timeUs: 20, value: 1 }])).toEqual(['unchanged'])
    })

    promise('the same content at a later time holds off what is late between the two', async () => {
      await table.write([{ id: 1, timeUs: 10, value: 1 }])
      expect(await table.write([{ id: 1, timeUs: 30, value: 1 }])).toEqual(['touched'])
      expect(await table.write([{ id: 1, timeUs: 20, value: 2 }])).toEqual(['older'])
      expect(await table.read([1])).toEqual([{ value: 1, blobBytes: 8, timeUs: 30 }])
      expect(await table.write([{ id: 1, timeUs: 30, value: 1 }])).toEqual(['unchanged'])
    })

    promise('a delete hides the row and blocks older ones, a later row comes back', async () => {
      await table.write([{ id: 1, timeUs: 10, value: 1 }])
      expect(await table.write([{ id: 1, timeUs: 5 }])).toEqual(['older'])
      expect(await table.write([{ id: 1, timeUs: 10 }])).toEqual(['deleted'])
      expect(await table.read([1])).toEqual([undefined])
      expect(await table.write([{ id: 1, timeUs: 9, value: 2 }])).toEqual(['older'])
      expect(await table.write([{ id: 1, timeUs: 11, value: 3 }])).toEqual(['new'])
      expect(await table.read([1])).toEqual([{ value: 3, blobBytes: 8, timeUs: 11 }])
    })

    promise('a delete of what was never there blocks older rows too', async () => {
      expect(await table.write([{ id: 1, timeUs: 10 }])).toEqual(['deleted'])
      expect(await table.write([{ id: 1, timeUs: 10 }])).toEqual(['unchanged'])
      expect(await table.write([{ id: 1, timeUs: 20 }])).toEqual(['touched'])
      expect(await table.write([{ id: 1, timeUs: 15, value: 1 }])).toEqual(['older'])
      expect(await table.read([1])).toEqual([undefined])
    })

    promise("a batch's own entries of one key are judged in their order", async () => {
      const outcomes = await table.write([
        { id: 1, timeUs: 10, value: 1 },
        { id: 1, timeUs: 10, value: 1 },
        { id: 1, timeUs: 20, value: 1 },
        { id: 1, timeUs: 15, value: 2 },
        { id: 1, timeUs: 30, value: 3 },
        { id: 2, timeUs: 5 },
        { id: 2, timeUs: 6, value: 4 },
        { id: 1, timeUs: 40 },
      ])
      expect(outcomes).toEqual([
        'new',
        'unchanged',
        'touched',
        'older',
        'changed',
        'deleted',
        'new',
        'deleted',
      ])
      expect(await table.read([1, 2])).toEqual([undefined, { value: 4, blobBytes: 8, timeUs: 6 }])
    })

    promise('a stored row touched and then changed in one batch ends changed', async () => {
      await table.write([{ id: 1, timeUs: 10, value: 1 }])
      const outcomes = await table.write([
        { id: 1, timeUs: 20, value: 1 },
        { id: 1, timeUs: 25, value: 1 },
        { id: 1, timeUs: 22, value: 9 },
        { id: 1, timeUs: 30, value: 2 },
        { id: 1, timeUs: 35, value: 2 },
      ])
      expect(outcomes).toEqual(['touched', 'touched', 'older', 'changed', 'touched'])
      expect(await table.read([1])).toEqual([{ value: 2, blobBytes: 8, timeUs: 35 }])
    })

    promise('writes that come together are each answered', async () => {
      const writes = Array.from({ length: 200 }, (_, place) =>
        table.write([{ id: place % 50, timeUs: place, value: place }]),
      )
      const outcomes = (await Promise.all(writes)).flat()
      expect(outcomes.filter((outcome) => outcome === 'new')).toHaveLength(50)
      expect(outcomes.filter((outcome) => outcome === 'changed')).toHaveLength(150)
      expect(await table.read([49])).toEqual([{ value: 199, blobBytes: 8, timeUs: 199 }])
    })

    promise('an empty batch is answered', async () => {
      expect(await table.write([])).toEqual([])
      expect(await table.read([])).toEqual([])
    })

    promise('one key in two tables is two rows', async () => {
      const other = await SampleTable.open(store, { ...SAMPLE_SPEC, name: 'other' })
      await table.write([{ id: 1, timeUs: 1, value: 1 }])
      await other.write([{ id: 1, timeUs: 2, value: 2 }])
      expect(await table.read([1])).toEqual([{ value: 1, blobBytes: 8, timeUs: 1 }])
      expect(await other.read([1])).toEqual([{ value: 2, blobBytes: 8, timeUs: 2 }])
    })

    promise('a table is found again by name and key, and is another with another key', async () => {
      expect(await store.openTable(SAMPLE_SPEC)).toEqual(table.handle)
      expect(store.tableNumber(SAMPLE_SPEC.name, SAMPLE_SPEC.keySignature, SAMPLE_USE)).toBe(
        table.handle.table,
      )
      const rekeyed = await store.openTable({ ...SAMPLE_SPEC, keySignature: 'id:INT32' })
      expect(rekeyed.table).not.toBe(table.handle.table)
      expect(rekeyed.layout).toBe(table.handle.layout)
    })

    promise('a row is compared with one of another layout by what both say', async () => {
      await table.write([{ id: 1, timeUs: 10, value: 5, blobBytes: 3 }])
      const layout = makeLayout(
        [
          { name: 'blob', type: valueTypeNamed('BYTES')! },
          { name: 'value', type: valueTypeNamed('INT64')! },
          { name: 'added', type: valueTypeNamed('FLOAT')! },
        ],
        false,
      )
      const handle = await store.openTable({ ...SAMPLE_SPEC, layout: encodeLayout(layout) })
      expect(handle.table).toBe(table.handle.table)
      const write = async (presence: number, timeUs: number) => {
        const builder = new WriteBatchBuilder()
        writeSampleKey(builder.keys, builder.reserveKey(KEY_BYTES), 1)
        const start = builder.reserveRow(layout.fixedBytes + 8)
        const row = new DataView(builder.rows.buffer, start, layout.fixedBytes + 8)
        builder.rows.set(layout.absentRow, start)
        row.setBigInt64(layout.slots[1]!, 5n, true)
        if (presence === 2) row.setFloat32(layout.slots[2]!, 1, true)
        row.setUint8(layout.presenceStart, 0b1010 | (presence << 4))
        row.setUint32(layout.slots[0]!, 3, true)
        for (let place = 0; place < 3; place++) {
          row.setUint8(layout.fixedBytes + place, (5 * 31 + place * 7) & 255)
        }
        builder.commit(ENTRY_ROW, timeUs, KEY_BYTES, layout.fixedBytes + 8)
        const { outcomes } = await store.writeMany(
          builder.take(handle.table, handle.layout, 'direct'),
        )
        return outcomes[0]
      }
      expect(await write(0, 10)).toBe(2) // unchanged: the new feature is absent in both
      expect(await write(0, 20)).toBe(3) // touched
      expect(await table.read([1])).toEqual([{ value: 5, blobBytes: 3, timeUs: 20 }])
      expect(await write(2, 20)).toBe(1) // changed
    })

    promise('keys and rows of the largest size are kept', async () => {
      const builder = new WriteBatchBuilder()
      const keyStart = builder.reserveKey(KEY_BYTES_MAX)
      builder.keys.fill(7, keyStart, keyStart + KEY_BYTES_MAX)
      const rowStart = builder.reserveRow(ROW_BYTES_MAX)
      builder.rows.fill(9, rowStart, rowStart + ROW_BYTES_MAX)
      builder.commit(ENTRY_ROW, 5, KEY_BYTES_MAX, ROW_BYTES_MAX)
      const { table: number, layout } = table.handle
      await store.writeMany(builder.take(number, layout, 'direct'))
      const batch = new ReadBatch(1, KEY_BYTES_MAX, 64)
      const start = batch.reserveKey(KEY_BYTES_MAX)
      batch.keys.fill(7, start, start + KEY_BYTES_MAX)
      batch.commitKey(number, KEY_BYTES_MAX)
      await store.readMany(batch, Infinity)
      expect(batch.states[0]).toBe(FOUND)
      expect(batch.rowBytes[0]).toBe(ROW_BYTES_MAX)
      const row = batch.rows.subarray(batch.rowStarts[0]!, batch.rowStarts[0]! + ROW_BYTES_MAX)
      expect(row.every((byte) => byte === 9)).toBe(true)
    })

    promise('a scan meets every current row of its table once', async () => {
      const other = await SampleTable.open(store, { ...SAMPLE_SPEC, name: 'other' })
      await other.write([{ id: 5000, timeUs: 1, value: 1 }])
      const entries = Array.from({ length: 1000 }, (_, id) => ({ id, timeUs: id, value: id * 3 }))
      await table.write(entries)
      await table.write([{ id: 3, timeUs: 5000 }])
      await table.write([{ id: 4, timeUs: 6000, value: 12 }])
      const seen = new Map<number, unknown>()
      for await (const { key, row, timeUs, layout } of store.scan(table.handle.table)) {
        expect(layout).toBe(table.handle.layout)
        expect(seen.has(readSampleId(key))).toBe(false)
        seen.set(readSampleId(key), readSampleRow(row, timeUs))
      }
      expect(seen.size).toBe(999)
      expect(seen.get(4)).toEqual({ value: 12, blobBytes: 8, timeUs: 6000 })
      expect(seen.get(999)).toEqual({ value: 2997, blobBytes: 8, timeUs: 999 })
    })

    promise('a dropped table is gone, and one of its name starts empty', async () => {
      await table.write([
        { id: 1, timeUs: 1, value: 1 },
        { id: 2, timeUs: 1, value: 2 },
        { id: 3, timeUs: 1 },
      ])
      const other = await SampleTable.open(store, { ...SAMPLE_SPEC, name: 'other' })
      await other.write([{ id: 1, timeUs: 2, value: 9 }])
      expect(await store.dropTable(table.handle.table)).toBe(2)
      expect(store.tableNumber(SAMPLE_SPEC.name, SAMPLE_SPEC.keySignature, SAMPLE_USE)).toBe(0)
      expect(await table.read([1])).toEqual([undefined])
      expect(await other.read([1])).toEqual([{ value: 9, blobBytes: 8, timeUs: 2 }])
      const again = await SampleTable.open(store)
      expect(again.handle.table).not.toBe(table.handle.table)
      expect(await again.read([1])).toEqual([undefined])
      expect(await again.write([{ id: 1, timeUs: 1, value: 1 }])).toEqual(['new'])
      expect(store.stats().rows).toBe(2)
    })

    promise('counts its rows by table', async () => {
      await table.write([
        { id: 1, timeUs: 1, value: 1 },
        { id: 2, timeUs: 1, value: 2 },
      ])
      await table.write([{ id: 2, timeUs: 2 }])
      const { rows, tombstones, tables } = store.stats()
      expect({ rows, tombstones }).toEqual({ rows: 1, tombstones: 1 })
      expect(tables).toEqual([
        {
          table: table.handle.table,
          name: SAMPLE_SPEC.name,
          keySignature: SAMPLE_SPEC.keySignature,
          rows: 1,
        },
      ])
    })

    promise('a batch for a table or layout that is not there is refused', async () => {
      const entries = [{ id: 1, timeUs: 1, value: 1 }]
      const unknownTable = sampleBatch({ ...table.handle, table: 99 }, entries, 'direct')
      const unknownLayout = sampleBatch({ ...table.handle, layout: 99 }, entries, 'direct')
      await expect(store.writeMany(unknownTable)).rejects.toMatchObject({ code: 'invalid_request' })
      await expect(store.writeMany(unknownLayout)).rejects.toMatchObject({
        code: 'invalid_request',
      })
    })

    promise('a time or size that no row may have is refused', async () => {
      const entries = [{ id: 1, timeUs: NaN, value: 1 }]
      await expect(table.write(entries)).rejects.toMatchObject({ code: 'invalid_row' })
      const cut = { ...sampleBatch(table.handle, [{ id: 1, timeUs: 1, value: 1 }], 'direct') }
      const lying = { ...cut, rowBytes: Uint32Array.of(8192) }
      await expect(store.writeMany(lying)).rejects.toMatchObject({ code: 'invalid_row' })
      expect(await table.read([1])).toEqual([undefined])
    })
  })
}
