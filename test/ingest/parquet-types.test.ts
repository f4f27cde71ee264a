/** Forms of Parquet that Spark does not write, and others do. */
import { describe, expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import {
  bool,
  dictionary,
  fixedSizeList,
  float32,
  int32,
  int64,
  largeList,
  largeUtf8,
  tableFromArrays,
  tableToIPC,
  timestamp,
  uint64,
  utf8,
} from '@uwdata/flechette'
import { ByteWriter, parquetWrite, schemaFromColumnData } from 'hyparquet-writer'
import { Table, initSync, writeParquet } from 'parquet-wasm/esm'
import { ingest, makeView, openStore, readRows, temporaryFolder } from './ingest-rig.ts'

const T = new Date('2026-01-01T00:00:00Z')

function fileOf(bytes: Uint8Array): string {
  const path = join(temporaryFolder(), 'rows.parquet')
  writeFileSync(path, bytes)
  return path
}

describe('Parquet', () => {
  test('of halves, UUIDs and unsigned integers is read exactly', async () => {
    const view = makeView({
      keys: { id: 'INT64' },
      features: { half: 'FLOAT', uuid: 'UUID', u32: 'INT64', small: 'INT32' },
    })
    const columnData = [
      { name: 'id', data: [1n, 2n], type: 'INT64' as const },
      { name: 'half', data: [0.5, null], type: 'FLOAT16' as const },
      { name: 'uuid', data: ['0b3f4c9e-2f57-4d9c-8a54-0a1d6d2f7e10', null], type: 'UUID' as const },
      { name: 'u32', data: [4_000_000_000, 5] },
      { name: 'small', data: [7, null], type: 'INT32' as const },
      { name: 'event_timestamp', data: [T, T], type: 'TIMESTAMP' as const },
    ]
    const schemaOverrides = {
      u32: {
        name: 'u32',
        type: 'INT32',
        converted_type: 'UINT_32',
        repetition_type: 'REQUIRED',
      },
    } as const
    const writer = new ByteWriter()
    const schema = schemaFromColumnData({ columnData, schemaOverrides })
    const untypedColumns = columnData.map(({ name, data }) => ({ name, data }))
    parquetWrite({ writer, columnData: untypedColumns, schema })
    const store = await openStore()
    expect(await ingest(store, view, fileOf(writer.getBytes()))).toMatchObject({ new: 2 })
    const rows = readRows(store, view)
    expect(rows.get('1')).toMatchObject({
      half: 0.5,
      uuid: '0b3f4c9e-2f57-4d9c-8a54-0a1d6d2f7e10',
      u32: 4_000_000_000,
      small: 7,
    })
    expect(rows.get('2')).toMatchObject({ half: null, uuid: null, u32: 5, small: null })
    await store.close()
  })

  test('is the same whichever codec it is written in', async () => {
    const view = makeView({ keys: { id: 'INT64' }, features: { x: 'DOUBLE' } })
    const store = await openStore()
    const compressors = {
      GZIP: (bytes: Uint8Array) => Uint8Array.from(gzipSync(bytes)),
      ZSTD: (bytes: Uint8Array) => Uint8Array.from(zstdCompressSync(bytes)),
    }
    for (const codec of ['UNCOMPRESSED', 'SNAPPY', 'GZIP', 'ZSTD'] as const) {
      const writer = new ByteWriter()
      const ids = Array.from({ length: 3000 }, (_, id) => BigInt(id % 100))
      parquetWrite({
        writer,
        codec,
        compressors,
        columnData: [
          { name: 'id', data: ids, type: 'INT64' },
          { name: 'x', data: ids.map((id) => Number(id) / 7), type: 'DOUBLE' },
          { name: 'event_timestamp', data: ids.map(() => T), type: 'TIMESTAMP' },
        ],
      })
      const receipt = await ingest(store, view, fileOf(writer.getBytes()))
      expect(receipt).toMatchObject({ read: 3000, new: codec === 'UNCOMPRESSED' ? 100 : 0 })
      expect(receipt.changed).toBe(0)
    }
    await store.close()
  })

  test('with Arrow’s own types is read as Arrow reads it', async () => {
    const view = makeView({
      keys: { id: 'STRING' },
      features: {
        city: 'STRING',
        big: 'INT64',
        pair: 'FLOAT_LIST',
        ids: 'INT64_LIST',
        hot: 'BOOL',
        n: 'INT32',
      },
    })
    const columns = tableFromArrays(
      {
        id: ['a', 'ü', 'c'],
        city: ['x', 'y', 'x'],
        big: [1n, 2n ** 63n - 1n, null],
        pair: [[1, 2], null, [3, 4]],
        ids: [[1n], [], [2n ** 60n]],
        hot: [true, null, false],
        n: [1, null, -3],
        event_timestamp: [1n, 2n, 3n].map(Number),
      },
      {
        types: {
          id: largeUtf8(),
          city: dictionary(utf8()),
          big: uint64(),
          pair: fixedSizeList(float32(), 2),
          ids: largeList(int64()),
          hot: bool(),
          n: int32(),
          event_timestamp: timestamp(3, 'Europe/Berlin'),
        },
      },
    )
    const wasm = Bun.resolveSync('parquet-wasm/esm/parquet_wasm_bg.wasm', import.meta.dir)
    initSync({ module: await Bun.file(wasm).bytes() })
    const bytes = writeParquet(Table.fromIPCStream(tableToIPC(columns, { format: 'stream' })!))
    const store = await openStore()
    expect(await ingest(store, view, fileOf(bytes))).toMatchObject({ new: 3, rejected: 0 })
    const rows = readRows(store, view)
    expect(rows.get('a')).toMatchObject({
      city: 'x',
      big: 1,
      pair: [1, 2],
      ids: [1],
      hot: true,
      n: 1,
    })
    expect(rows.get('ü')).toMatchObject({ city: 'y', big: 2n ** 63n - 1n, pair: null, ids: [] })
    expect(rows.get('c')).toMatchObject({ big: null, ids: [2n ** 60n], hot: false, n: -3 })
    await store.close()
  })
})
