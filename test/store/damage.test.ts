/**
 * Flipped and cut bytes at every offset of every file of a small store: it refuses to open, or says what
 * it dropped, or answers that a row can't be read, or is intact. Never a crash, never a wrong value.
 */
import { beforeAll, describe, expect, test } from 'bun:test'
import { Fault } from '../../src/base/fault.ts'
import type { EmbeddedStore } from '../../src/store/embedded/embedded-store.ts'
import { openEmbeddedStore, verifyStore } from '../../src/store/embedded/embedded-store.ts'
import type { LogSizes } from '../../src/store/embedded/log-sizes.ts'
import { SeededRandom } from '../base/seeded-random.ts'
import { MemoryDisk } from './memory-disk.ts'
import { SampleTable } from './sample-table.ts'

const DIR = '/store'

const SIZES: LogSizes = {
  segmentBytes: 4096,
  groupBytesMax: 2048,
  groupRoomMin: 1024,
  fillBytes: 1024,
}

const IDS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]

/** Files of the store after a kill and after a clean stop, and what it answers. */
let killed: MemoryDisk
let stopped: MemoryDisk
let answers: unknown[]

async function open(disk: MemoryDisk): Promise<{ store: EmbeddedStore; table: SampleTable }> {
  const store = await openEmbeddedStore({ dir: DIR, durability: 'sync', disk, sizes: SIZES })
  return { store, table: await SampleTable.open(store) }
}

beforeAll(async () => {
  const disk = new MemoryDisk()
  const { store, table } = await open(disk)
  await table.write([8, ...IDS].map((id) => ({ id, timeUs: 10, value: id, blobBytes: 10 * id })))
  await table.write([{ id: 3, timeUs: 20 }])
  await table.write([{ id: 4, timeUs: 20, value: 4, blobBytes: 40 }])
  await table.write([{ id: 5, timeUs: 20, value: 50, blobBytes: 1500 }])
  await table.write([{ id: 6, timeUs: 20, value: 60, blobBytes: 300 }])
  await table.write([{ id: 7, timeUs: 20, value: 7, blobBytes: 70 }])
  await table.write([{ id: 8, timeUs: 30, value: 80, blobBytes: 5 }])
  answers = await table.read(IDS)
  expect(store.stats().segments).toBe(2)
  killed = disk.copy()
  await store.close()
  stopped = disk.copy()
})

/** Opens a damaged store; says how it spoke up, or '' if it did not. Throws on a wrong answer. */
async function voiceOf(disk: MemoryDisk): Promise<string> {
  let opened
  try {
    opened = await open(disk)
  } catch (error) {
    if (error instanceof Fault && error.code === 'store_damaged') return 'refused to open'
    throw error
  }
  const { store, table } = opened
  const rows = await table.read(IDS)
  const { tailsDropped, snapshotsIgnored } = store.stats().counters
  const wrong = IDS.filter((id) => rows[id] !== 'failed' && !Bun.deepEquals(rows[id], answers[id]))
  if (wrong.length > 0) {
    // A damaged last group can't be told from one that was never finished: it is dropped, and said to be.
    expect(tailsDropped, `keys ${wrong} differ`).toBe(1)
    expect(wrong).toEqual([8])
    expect(rows[8]).toEqual(before8())
  }
  if (tailsDropped! > 0) return 'dropped a tail'
  if (rows.includes('failed')) return 'could not read a row'
  return snapshotsIgnored! > 0 ? 'ignored the snapshot' : ''
}

const before8 = () => ({ value: 8, blobBytes: 80, timeUs: 10 })

async function damageEverywhere(
  source: MemoryDisk,
  random: SeededRandom,
  damage: (disk: MemoryDisk, path: string, offset: number) => void,
): Promise<Map<string, number>> {
  const voices = new Map<string, number>()
  for (const name of source.names(DIR)) {
    const path = `${DIR}/${name}`
    const bytes = source.content(path).length
    // The snapshot is mostly empty slots: a sample of them does. Beside one, segments are not scanned.
    const step = name === 'index.snap' ? 97 : source === stopped ? 3 : 1
    for (let offset = random.below(step); offset < bytes; offset += step) {
      const disk = source.copy()
      damage(disk, path, offset)
      const voice = await voiceOf(disk)
      voices.set(voice, (voices.get(voice) ?? 0) + 1)
    }
  }
  return voices
}

describe('a damaged store', () => {
  for (const kind of ['killed', 'stopped'] as const) {
    const source = () => (kind === 'killed' ? killed : stopped)

    test(`never answers wrongly for a flipped byte (${kind})`, async () => {
      const random = new SeededRandom(`flips, ${kind}`)
      const voices = await damageEverywhere(source(), random, (disk, path, offset) => {
        disk.flip(path, offset, 1 << random.below(8))
      })
      expect(voices.get('refused to open')).toBeGreaterThan(100)
      const other = kind === 'killed' ? 'dropped a tail' : 'could not read a row'
      expect(voices.get(other)).toBeGreaterThan(50)
    }, 120_000)

    test(`never answers wrongly for a file cut off (${kind})`, async () => {
      const random = new SeededRandom(`cuts, ${kind}`)
      const voices = await damageEverywhere(source(), random, (disk, path, offset) => {
        disk.cut(path, offset)
      })
      expect(voices.get('refused to open')).toBeGreaterThan(2500)
    }, 120_000)
  }

  test('is noticed by verify where no current row is hurt', async () => {
    const disk = stopped.copy()
    disk.flip(`${DIR}/00000001.seg`, 64 + 45, 1) // a row that was written again since
    expect(await voiceOf(disk)).toBe('')
    const { store } = await open(disk.copy())
    expect((await store.verify()).damages).toMatchObject([{ file: '00000001.seg', offset: 64 }])
  })

  test('lists every place, with file and offset, though it refuses to open', async () => {
    const disk = killed.copy()
    expect(verifyStore(DIR, disk, SIZES).damages).toEqual([])
    disk.flip(`${DIR}/00000001.seg`, 64 + 45, 1)
    disk.flip(`${DIR}/00000001.seg`, 2000, 1)
    disk.cut(`${DIR}/00000002.seg`, 100)
    await expect(open(disk)).rejects.toMatchObject({ code: 'store_damaged' })
    expect(verifyStore(DIR, disk, SIZES).damages).toEqual([
      { file: '00000002.seg', offset: 0, what: 'the file has 100 bytes, 4096 were made' },
      { file: '00000001.seg', offset: 64, what: 'the body checksum is wrong' },
      { file: '00000001.seg', offset: expect.any(Number), what: 'the body checksum is wrong' },
    ])
  })

  test('names a segment that is missing, and one that is not listed', async () => {
    const disk = killed.copy()
    disk.rename(`${DIR}/00000001.seg`, `${DIR}/00000009.seg`)
    await expect(open(disk)).rejects.toMatchObject({ code: 'store_damaged' })
    expect(verifyStore(DIR, disk, SIZES).damages).toContainEqual({
      file: '00000001.seg',
      offset: 0,
      what: 'the segment is missing',
    })
    const other = killed.copy()
    other.flip(`${DIR}/SEGMENTS`, 3, 1)
    await expect(open(other)).rejects.toMatchObject({ code: 'store_damaged' })
    expect(verifyStore(DIR, other, SIZES).damages).toEqual([
      { file: 'SEGMENTS', offset: 0, what: 'the file that lists the segments is damaged' },
    ])
  })
})
