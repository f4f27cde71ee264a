/** The page and the code say the same bytes. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'bun:test'
import { openEmbeddedStore } from '../../src/store/embedded/embedded-store.ts'
import { GroupBuilder } from '../../src/store/embedded/group-builder.ts'
import {
  LogView,
  keyBytesOf,
  kindOf,
  layoutOf,
  rowBytesOf,
  rowWordOf,
  sequenceOf,
  tableOf,
  timeOf,
} from '../../src/store/embedded/log-entry.ts'
import { GroupReader } from '../../src/store/embedded/log-reader.ts'
import {
  SEGMENT_HEADER_BYTES,
  checksumSeedOf,
  decodeSegmentHeader,
  encodeSegmentHeader,
  locationOf,
  slotOf,
  wordOf,
} from '../../src/store/embedded/segment.ts'
import { SMALL_SIZES } from './data-directory.ts'
import { MemoryDisk } from './memory-disk.ts'
import { SampleTable } from './sample-table.ts'

const PAGE = new URL('../../src/store/embedded/log-format.md', import.meta.url)

/** The lines `offset  16 bytes in hex  note` of the page's example. */
function exampleBytes(): Uint8Array<ArrayBuffer> {
  const example = readFileSync(PAGE, 'utf8').split('## Example')[1]!
  const lines = [...example.matchAll(/^ *(\d+) {2}((?:[0-9a-f]{2} ){15}[0-9a-f]{2})/gm)]
  return Uint8Array.from(
    lines.flatMap(([, offset, hex], line) => {
      expect(Number(offset)).toBe(line * 16)
      return [...Uint8Array.fromHex(hex!.replaceAll(' ', ''))]
    }),
  )
}

const header = {
  id: 1,
  slot: 0,
  storeId: Uint8Array.from({ length: 16 }, (_, place) => place),
  horizon: 0,
  fileBytes: 64 * 1024 * 1024,
}

const SEED = checksumSeedOf(header.storeId, header.id)

test("the page's example is read as it says", () => {
  const bytes = exampleBytes()
  expect(bytes.length).toBe(192)
  expect(decodeSegmentHeader(bytes)).toEqual(header)
  const view = new LogView(bytes, SEED)
  const reader = new GroupReader(view)
  expect(reader.read(SEGMENT_HEADER_BYTES)).toBe(192)
  expect(reader.count).toBe(1)
  expect(reader.isSynced).toBe(true)
  const at = SEGMENT_HEADER_BYTES / 4
  const { words, doubles } = view
  expect({
    kind: kindOf(words, at),
    table: tableOf(words, at),
    layout: layoutOf(words, at),
    keyBytes: keyBytesOf(words, at),
    rowBytes: rowBytesOf(words, at),
    sequence: sequenceOf(doubles, at),
    timeUs: timeOf(doubles, at),
  }).toEqual({
    kind: 1,
    table: 1,
    layout: 1,
    keyBytes: 16,
    rowBytes: 8,
    sequence: 1,
    timeUs: 1_000_000,
  })
  const row = new DataView(bytes.buffer, rowWordOf(words, at) * 4, 8)
  expect(row.getFloat32(0, true)).toBe(0.5)
})

test("the page's example is what is written", () => {
  const group = new GroupBuilder()
  group.begin(SEED, header.fileBytes - SEGMENT_HEADER_BYTES)
  group.add({
    kind: 1,
    table: 1,
    layout: 1,
    sequence: 1,
    timeUs: 1_000_000,
    keyWords: Int32Array.of(4, 8, 1001, 0),
    keyStart: 0,
    keyBytes: 16,
    rowWords: Int32Array.of(0x3f00_0000, 2),
    rowStart: 0,
    rowBytes: 8,
  })
  const written = Buffer.concat([encodeSegmentHeader(header), group.finish(true)])
  expect(written.toHex()).toBe(exampleBytes().toHex())
})

test('the checksums of another segment, or of another store, are wrong', () => {
  const others = [checksumSeedOf(header.storeId, 2), checksumSeedOf(new Uint8Array(16), 1), 1, 0]
  for (const seed of others) {
    const reader = new GroupReader(new LogView(exampleBytes(), seed))
    expect(reader.read(SEGMENT_HEADER_BYTES)).toBe(0)
    expect(reader.faultOffset).toBe(SEGMENT_HEADER_BYTES)
  }
})

test('the small files have the keys that the page says, in its order', async () => {
  const disk = new MemoryDisk()
  const options = { dir: '/store', durability: 'sync', disk, sizes: SMALL_SIZES } as const
  const store = await openEmbeddedStore(options)
  const table = await SampleTable.open(store)
  await table.write([{ id: 1, timeUs: 1, value: 1 }])
  await store.dropTable(table.handle.table)
  await store.compact()
  const page = readFileSync(PAGE, 'utf8')
  for (const name of ['STORE', 'TABLES', 'SEGMENTS']) {
    const written = new TextDecoder().decode(disk.content(`/store/${name}`)).split('\n')[0]!
    const example = new RegExp(`^${name} +(\\{.*\\})$`, 'm').exec(page)![1]!
    const keys = (line: string) => new Set(line.match(/"\w+":/g))
    const known = [...keys(example)]
    const found = [...keys(written)]
    expect(known.filter((key) => found.includes(key))).toEqual(found)
    expect(found.length, name).toBeGreaterThan(2)
  }
  await store.close()
})

test('a location names every entry of 128 GiB, and none of them is empty or removed', () => {
  for (const [slot, offset] of [
    [0, 64],
    [0, 67_108_832],
    [1, 64],
    [2047, 67_108_832],
  ] as const) {
    const location = locationOf(slot, offset)
    expect(location >>> 0).toBeGreaterThan(1)
    expect([slotOf(location), wordOf(location) * 4]).toEqual([slot, offset])
  }
})
