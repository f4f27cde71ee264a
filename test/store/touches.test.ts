/** Times that advanced without the row: they must outlive compaction cut off at any moment. */
import { expect, test } from 'bun:test'
import type { EmbeddedStore } from '../../src/store/embedded/embedded-store.ts'
import { openEmbeddedStore, openEmbeddedWriter } from '../../src/store/embedded/embedded-store.ts'
import { slotOf } from '../../src/store/embedded/segment.ts'
import { SMALL_SIZES } from './data-directory.ts'
import { MemoryDisk } from './memory-disk.ts'
import { SampleTable } from './sample-table.ts'

async function openOn(disk: MemoryDisk): Promise<{ store: EmbeddedStore; table: SampleTable }> {
  const options = { dir: '/store', durability: 'sync', disk, sizes: SMALL_SIZES } as const
  const store = await openEmbeddedStore({ ...options, clock: () => 0 })
  return { store, table: await SampleTable.open(store) }
}

/** Of each row the horizon of the segment that a store opened after a kill finds it in. */
async function horizonsAfterKill(disk: MemoryDisk): Promise<number[]> {
  const options = { dir: '/store', durability: 'sync', disk: disk.copy() } as const
  const { writer, state } = await openEmbeddedWriter({ ...options, sizes: SMALL_SIZES })
  const horizons = state.index.shards.flatMap((shard) =>
    Array.from({ length: shard.capacity }, (_, slot) => shard.location(slot))
      .filter((location) => location !== 0)
      .map((location) => state.segments.in(slotOf(location))!.horizon),
  )
  await writer.close()
  return horizons
}

test('a touch of a copy counts while the row that was copied is still there', async () => {
  let disk = new MemoryDisk()
  let { store, table } = await openOn(disk)
  const rows = Array.from({ length: 20 }, (_, id) => ({ id, timeUs: 10, value: id }))
  await table.write(rows)
  await table.write([{ id: 19, timeUs: 11, value: 100 }])
  // A scan keeps the file of the segment that compaction empties.
  const scan = store.scan(table.handle.table)
  scan.next()
  void store.compact().catch(() => undefined)
  while (store.stats().counters['entriesCopied']! < 20) await Bun.sleep(0)
  expect(await table.write([{ id: 1, timeUs: 30, value: 1 }])).toEqual(['touched'])
  expect(await horizonsAfterKill(disk)).not.toContain(0)
  for (let round = 0; round < 4; round++) {
    disk = disk.copy()
    ;({ store, table } = await openOn(disk))
    expect(await table.read([1])).toEqual([{ value: 1, blobBytes: 8, timeUs: 30 }])
    expect(await table.write([{ id: 1, timeUs: 20, value: 9 }])).toEqual(['older'])
    expect((await store.verify()).damages).toEqual([])
    await store.compact()
  }
})
