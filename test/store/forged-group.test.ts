/** A writer of values can't make the log say what was never written. */
import { expect, test } from 'bun:test'
import { openEmbeddedStore } from '../../src/store/embedded/embedded-store.ts'
import { GroupBuilder } from '../../src/store/embedded/group-builder.ts'
import { checksumSeedOf } from '../../src/store/embedded/segment.ts'
import { ENTRY_ROW, WriteBatchBuilder } from '../../src/store/write-batch.ts'
import { SMALL_SIZES } from './data-directory.ts'
import { BLOCK_BYTES, MemoryDisk, diskError } from './memory-disk.ts'
import { KEY_BYTES, SampleTable, sampleRowBytes, writeSampleKey } from './sample-table.ts'

const DIR = '/store'
const SEGMENT = `${DIR}/00000001.seg`
const BLOB_BYTES = 9000

/** What somebody can guess who knows the format and not the store. */
const GUESSED_SEEDS = [0, 1, checksumSeedOf(new Uint8Array(16), 1)]

/** A whole group that deletes key 7 as of the year 2128. */
function forgedGroup(checksumSeed: number): Uint8Array {
  const key = new Uint8Array(KEY_BYTES)
  writeSampleKey(key, 0, 7)
  const group = new GroupBuilder(4096)
  group.begin(checksumSeed, 4096)
  group.add({
    kind: 2,
    table: 1,
    layout: 1,
    sequence: 999,
    timeUs: 5e15,
    keyWords: new Int32Array(key.buffer),
    keyStart: 0,
    keyBytes: KEY_BYTES,
    rowWords: new Int32Array(0),
    rowStart: 0,
    rowBytes: 0,
  })
  return group.finish(true).slice()
}

/** A row whose bytes are forged groups, some of which start where an entry may. */
function forgedBatch(table: SampleTable, group: Uint8Array) {
  const builder = new WriteBatchBuilder()
  writeSampleKey(builder.keys, builder.reserveKey(KEY_BYTES), 1)
  const rowBytes = sampleRowBytes(BLOB_BYTES)
  const start = builder.reserveRow(rowBytes)
  const view = new DataView(builder.rows.buffer, start, rowBytes)
  view.setBigInt64(0, 1n, true)
  view.setUint8(8, 0b1010)
  view.setUint32(12, BLOB_BYTES, true)
  const step = group.length + 8
  for (let at = 0; at + step < BLOB_BYTES; at += step) builder.rows.set(group, start + 16 + at)
  builder.commit(ENTRY_ROW, 2, KEY_BYTES, rowBytes)
  return builder.take(table.handle.table, table.handle.layout, 'direct')
}

for (const seed of GUESSED_SEEDS) {
  test(`a group inside a torn value is not one (seed ${seed >>> 0})`, async () => {
    const disk = new MemoryDisk()
    const options = { dir: DIR, durability: 'sync', sizes: SMALL_SIZES } as const
    const store = await openEmbeddedStore({ ...options, disk })
    const table = await SampleTable.open(store)
    await table.write([{ id: 7, timeUs: 1, value: 1 }])
    const before = disk.content(SEGMENT).slice(0, BLOCK_BYTES)
    disk.plan = ({ kind }) => {
      if (kind === 'sync') throw diskError('EIO')
      return undefined
    }
    const write = store.writeMany(forgedBatch(table, forgedGroup(seed)))
    await expect(write).rejects.toMatchObject({ code: 'write_failed' })
    // The power goes: the first block of the group did not get to the disk, those behind it did.
    const cut = disk.copy()
    const file = cut.open(SEGMENT, 'write')
    file.writeSome(before, 0)
    const again = await openEmbeddedStore({ ...options, disk: cut.copy() })
    const read = await (await SampleTable.open(again)).read([7, 1])
    expect(read).toEqual([{ value: 1, blobBytes: 8, timeUs: 1 }, undefined])
    expect(again.stats().counters['tailsDropped']).toBe(1)
  })
}
