/** Failed writes, short writes, failed syncs, a full disk: what is refused, and what goes on. */
import { beforeEach, describe, expect, test } from 'bun:test'
import { Fault } from '../../src/base/fault.ts'
import type { EmbeddedStore } from '../../src/store/embedded/embedded-store.ts'
import { openEmbeddedStore } from '../../src/store/embedded/embedded-store.ts'
import type { Durability } from '../../src/store/embedded/embedded-writer.ts'
import { SeededRandom, stepsOf } from '../base/seeded-random.ts'
import { SMALL_SIZES } from './data-directory.ts'
import type { Attempt } from './memory-disk.ts'
import { MemoryDisk, diskError } from './memory-disk.ts'
import { ModelTable } from './model-table.ts'
import type { SampleEntry, SampleRow } from './sample-table.ts'
import { SampleTable } from './sample-table.ts'

const DIR = '/store'

let disk: MemoryDisk
let store: EmbeddedStore
let table: SampleTable

async function open(durability: Durability = 'sync'): Promise<void> {
  const options = { dir: DIR, durability, disk, sizes: SMALL_SIZES } as const
  store = await openEmbeddedStore(options)
  table = await SampleTable.open(store)
}

/** As after SIGKILL: what is on the disk goes on, with nothing said at the end. */
async function reopenKilled(): Promise<void> {
  disk = disk.copy()
  await open()
}

const row = (id: number, timeUs: number): SampleRow => ({ value: id, blobBytes: 8, timeUs })
const entry = (id: number, timeUs = 1): SampleEntry => ({ id, timeUs, value: id })

const isSegment = ({ path }: Attempt): boolean => path.endsWith('.seg')

describe('a disk that fails', () => {
  beforeEach(async () => {
    disk = new MemoryDisk()
    await open()
    await table.write([entry(1)])
  })

  test('a failed sync refuses its group, and its file is never synced again', async () => {
    const synced: string[] = []
    let failed = ''
    disk.plan = (attempt) => {
      if (attempt.kind !== 'sync' || !isSegment(attempt)) return undefined
      synced.push(attempt.path)
      if (failed !== '') return undefined
      failed = attempt.path
      throw diskError('EIO')
    }
    await expect(table.write([entry(2)])).rejects.toMatchObject({ code: 'write_failed' })
    expect(await table.read([1, 2])).toEqual([row(1, 1), undefined])
    expect(await table.write([entry(3)])).toEqual(['new'])
    expect(synced.filter((path) => path === failed)).toHaveLength(1)
    await reopenKilled()
    expect(await table.read([1, 2, 3])).toEqual([row(1, 1), undefined, row(3, 1)])
    expect((await store.verify()).damages).toEqual([])
  })

  test('a failed write refuses its group, and the store goes on in a new segment', async () => {
    let failures = 1
    disk.plan = (attempt) => {
      if (attempt.kind === 'write' && isSegment(attempt) && failures-- > 0) throw diskError('EIO')
      return undefined
    }
    await expect(table.write([entry(2)])).rejects.toMatchObject({ code: 'write_failed' })
    expect(await table.write([entry(3)])).toEqual(['new'])
    await reopenKilled()
    expect(await table.read([1, 2, 3])).toEqual([row(1, 1), undefined, row(3, 1)])
  })

  test('writes that the disk takes in pieces arrive whole', async () => {
    disk.plan = ({ kind, bytes }) => (kind === 'write' ? Math.ceil(bytes / 3) : undefined)
    const entries = Array.from({ length: 300 }, (_, id) => entry(id, 2))
    await table.write(entries)
    await reopenKilled()
    expect(await table.read([0, 299])).toEqual([row(0, 2), row(299, 2)])
    expect((await store.verify()).damages).toEqual([])
  })

  test('a full disk refuses writes while reads go on, and takes them again when there is room', async () => {
    let isFull = true
    disk.plan = (attempt) => {
      if (!isFull || attempt.kind !== 'write') return undefined
      if (attempt.bytes > 100) return 100 // what still fits
      throw diskError('ENOSPC')
    }
    for (let round = 0; round < 3; round++) {
      await expect(table.write([entry(2)])).rejects.toMatchObject({ code: 'disk_full' })
      expect(await table.read([1])).toEqual([row(1, 1)])
    }
    isFull = false
    expect(await table.write([entry(3)])).toEqual(['new'])
    await reopenKilled()
    expect(await table.read([1, 2, 3])).toEqual([row(1, 1), undefined, row(3, 1)])
    expect((await store.verify()).damages).toEqual([])
  })

  test('a disk too full for a new segment refuses, and the next one is made when there is room', async () => {
    let isFull = true
    disk.plan = (attempt) => {
      if (isFull && attempt.kind === 'create') throw diskError('ENOSPC')
      return undefined
    }
    const refused: unknown[] = []
    let id = 10
    while (refused.length < 3) {
      await table.write([{ ...entry(id), blobBytes: 2000 }]).catch((error) => refused.push(error))
      id++
    }
    expect(refused).toMatchObject(refused.map(() => ({ code: 'disk_full' })))
    isFull = false
    expect(await table.write([entry(5000)])).toEqual(['new'])
    await reopenKilled()
    expect(await table.read([1, 10, 5000])).toEqual([
      row(1, 1),
      { value: 10, blobBytes: 2000, timeUs: 1 },
      row(5000, 1),
    ])
  })

  for (const full of ['.seg', 'SEGMENTS']) {
    test(`a disk too full for the first bytes of ${full} is not filled with files`, async () => {
      await writeSegments(2)
      disk.plan = ({ kind, path }) => {
        const isNew =
          path.endsWith(full === '.seg' ? full : 'SEGMENTS.new') && !path.endsWith('00000002.seg')
        if (kind === 'write' && isNew) throw diskError('ENOSPC')
        return undefined
      }
      let refused = 0
      for (let id = 1000; refused < 5; id++) {
        await table.write([{ ...entry(id), blobBytes: 2000 }]).catch(() => refused++)
      }
      const files = disk.names(DIR).filter((name) => name.endsWith('.seg'))
      expect(files).toEqual(['00000001.seg', '00000002.seg'])
      disk.plan = () => undefined
      expect(await table.write([entry(5000)])).toEqual(['new'])
      await reopenKilled()
      expect(await table.read([1000, 5000])).toEqual([
        { value: 1000, blobBytes: 2000, timeUs: 1 },
        row(5000, 1),
      ])
    })
  }

  test('a new segment that is listed stays, though the sync of the directory failed', async () => {
    await writeSegments(2)
    let isListed = false
    let failures = 0
    disk.plan = ({ kind, path }) => {
      if (kind === 'rename' && path.endsWith('SEGMENTS')) isListed = true
      if (kind === 'syncDirectory' && isListed && failures++ === 0) throw diskError('EIO')
      return undefined
    }
    for (let id = 1000; failures === 0; id++) {
      await table.write([{ ...entry(id), blobBytes: 2000 }]).catch(() => undefined)
    }
    await reopenKilled()
    expect((await store.verify()).damages).toEqual([])
    expect(await table.write([entry(5000)])).toEqual(['new'])
  })

  for (const failing of [
    'create',
    'write',
    'sync',
    'unlink',
    'syncDirectory',
  ] satisfies Attempt['kind'][]) {
    test(`a snapshot that fails to ${failing} does not fail the end, and is not missed`, async () => {
      let isFirst = true
      disk.plan = ({ kind, path }) => {
        if (kind !== failing || !(path.endsWith('index.snap') || path === DIR)) return undefined
        if (failing === 'write' && isFirst) {
          isFirst = false
          return 10 // what still fits
        }
        throw diskError('ENOSPC')
      }
      await store.close()
      const failed = failing === 'unlink' ? 0 : 1 // there is none to be taken away
      expect(store.stats().counters['snapshotsFailed']).toBe(failed)
      expect(disk.names(DIR).includes('index.snap')).toBe(failed === 0)
      disk.plan = () => undefined
      await reopenKilled()
      expect(await table.read([1])).toEqual([row(1, 1)])
      expect(store.stats().counters['snapshotsIgnored']).toBe(0)
    })
  }

  test('a table that could not be kept is not there', async () => {
    disk.plan = ({ path }) => {
      if (path.includes('TABLES')) throw diskError('ENOSPC')
      return undefined
    }
    const spec = { name: 'other', keySignature: 'id:INT64', layout: store.layoutBytes(1), ttlUs: 0 }
    await expect(store.openTable(spec)).rejects.toMatchObject({ code: 'disk_full' })
    expect(store.tableNumber('other', 'id:INT64')).toBe(0)
    disk.plan = () => undefined
    expect((await store.openTable(spec)).table).toBe(2)
  })

  test('a store that can not be made leaves nothing that a later open stumbles over', async () => {
    for (let failing = 0; failing < 20; failing++) {
      const fresh = new MemoryDisk()
      let attempts = 0
      fresh.plan = () => {
        if (attempts++ === failing) throw diskError('EIO')
        return undefined
      }
      const options = { dir: DIR, durability: 'sync', disk: fresh, sizes: SMALL_SIZES } as const
      const opened = await openEmbeddedStore(options).catch(() => undefined)
      await opened?.close().catch(() => undefined)
      fresh.plan = () => undefined
      const again = await openEmbeddedStore({ ...options, disk: fresh.copy() })
      await (await SampleTable.open(again)).write([entry(1)])
      await again.close()
    }
  })
})

/** Writes 20 rows again and again, and a new one each time, until the log has so many segments. */
async function writeSegments(count: number): Promise<void> {
  for (let timeUs = 1; store.stats().segments < count; timeUs++) {
    const ids = [...Array.from({ length: 20 }, (_, id) => id), 100 + timeUs]
    await table.write(ids.map((id) => ({ id, timeUs, value: timeUs, blobBytes: 200 })))
  }
}

describe('compaction', () => {
  beforeEach(async () => {
    disk = new MemoryDisk()
    await open()
  })

  test('goes on by itself after the sync of the directory failed behind an unlink', async () => {
    await writeSegments(2)
    let unlinked = ''
    let failures = 0
    disk.plan = ({ kind, path }) => {
      if (kind === 'unlink' && path.endsWith('.seg')) unlinked = path
      if (kind === 'syncDirectory' && unlinked !== '' && failures++ === 0) throw diskError('EIO')
      return undefined
    }
    await expect(store.compact()).rejects.toMatchObject({ code: 'write_failed' })
    expect(failures).toBe(1)
    await store.compact()
    expect(disk.names(DIR).filter((name) => name.endsWith('.seg'))).toHaveLength(1)
    await store.close()
  })

  test('takes no row that was durable when a sync of what superseded it failed', async () => {
    disk = new MemoryDisk()
    await open('process')
    let ids = 0
    while (store.stats().segments < 2) {
      const entries = Array.from({ length: 10 }, () => ({ ...entry(ids++), blobBytes: 400 }))
      await table.write(entries)
    }
    const inFirst = Array.from({ length: ids - 10 }, (_, id) => id)
    let failed = ''
    disk.plan = ({ kind, path }) => {
      if (kind !== 'sync' || !path.endsWith('.seg') || failed !== '') return undefined
      failed = path
      throw diskError('EIO')
    }
    // All of the first segment is superseded, without a sync: it is to be retired, and then that fails.
    await table.write(inFirst.map((id) => ({ ...entry(id, 2), value: 5000 })))
    const first = `${DIR}/00000001.seg`
    while (disk.names(DIR).includes('00000001.seg')) await store.compact().catch(() => undefined)
    expect(failed).toBe(`${DIR}/00000002.seg`)
    const unlinked = disk.ops.findIndex((op) => op.kind === 'unlink' && op.path === first)
    const gone = disk.ops.findIndex(({ kind }, at) => at > unlinked && kind === 'syncedDirectory')
    disk = disk.afterPowerCut(gone + 1, new SeededRandom('unsynced'), 'none')
    await open('process')
    const rows = await table.read(inFirst)
    const lost = inFirst.filter((id) => rows[id] === undefined || rows[id] === 'failed')
    expect(lost).toEqual([])
    await store.close()
  })

  test('that failed and is waited for does not hold up the end', async () => {
    await writeSegments(2)
    let failures = 0
    disk.plan = ({ kind, path }) => {
      if (kind === 'unlink' && path.endsWith('.seg') && failures++ === 0) throw diskError('EIO')
      return undefined
    }
    await expect(store.compact()).rejects.toMatchObject({ code: 'write_failed' })
    const again = store.compact()
    await store.close()
    await again
    expect(failures).toBeGreaterThan(1)
  })
})

test('nothing is read through the mapping of what was never written', async () => {
  disk = new MemoryDisk()
  await open()
  await writeSegments(2)
  // A hole within a torn tail, too: its first block and its last one got there.
  const file = disk.open(`${DIR}/00000002.seg`, 'write')
  file.writeSome(new Uint8Array(100).fill(1), 40_000)
  file.writeSome(new Uint8Array(100).fill(1), 60_000)
  await reopenKilled()
  const { tailsDropped, tailBytesDropped } = store.stats().counters
  expect(tailsDropped).toBe(1)
  expect(tailBytesDropped).toBeLessThan(60_100)
  expect(disk.content(`${DIR}/00000002.seg`).subarray(40_000)).toEqual(new Uint8Array(25_536))
  const written = disk.ops
    .slice(disk.historyStart)
    .filter((op) => op.kind === 'write' && op.offset > 48_000)
  expect(written).toMatchObject([{ offset: 57_344 }])
  await reopenKilled()
  expect(store.stats().counters['tailsDropped']).toBe(0)
  expect(await store.verify()).toMatchObject({ damages: [], notes: [] })
  await store.close()
})

test('groups of a failed sync that a later run builds upon are on the disk', async () => {
  disk = new MemoryDisk()
  await open('process')
  for (let id = 0; id < 12; id++) await table.write([{ ...entry(id), blobBytes: 3000 }])
  disk.plan = ({ kind }) => {
    if (kind === 'sync') throw diskError('EIO')
    return undefined
  }
  await expect(store.compact()).rejects.toMatchObject({ code: 'write_failed' })
  // Killed before any file says that the segment was given up: its groups are seen, and not durable.
  disk = disk.afterKill(disk.ops.length)
  await open()
  let ids = 100
  while (store.stats().segments < 3) await table.write([{ ...entry(ids++), blobBytes: 3000 }])
  disk = disk.afterPowerCut(disk.ops.length, new SeededRandom('failed sync'), 'none')
  await open()
  const all = [...Array.from({ length: 12 }, (_, id) => id), 100, ids - 1]
  const rows = await table.read(all)
  expect(rows.map((each) => (each === 'failed' ? each : each?.value))).toEqual(all)
  await store.close()
})

test('what a power cut took from a segment whose sync had failed is told once', async () => {
  disk = new MemoryDisk()
  await open('process')
  for (let id = 0; id < 12; id++) await table.write([{ ...entry(id), blobBytes: 3000 }])
  let failedAt = 0
  disk.plan = ({ kind, path }) => {
    if (kind !== 'sync' || !path.endsWith('.seg') || failedAt > 0) return undefined
    failedAt = disk.ops.length
    throw diskError('EIO')
  }
  await expect(store.compact()).rejects.toMatchObject({ code: 'write_failed' })
  await store.close()
  // The list says that the segment was given up, and no copies of its rows are durable yet.
  const listed = disk.ops.findIndex(({ kind }, at) => at > failedAt && kind === 'rename')
  disk = disk.afterPowerCut(listed + 2, new SeededRandom('lost groups'), 'none')
  await open('process')
  const { tailsDropped, tailBytesDropped } = store.stats().counters
  expect(tailsDropped).toBe(1)
  expect(tailBytesDropped).toBeGreaterThan(12 * 3000)
  await store.close()
  await open('process')
  expect(store.stats().counters).toMatchObject({ tailsDropped: 0, snapshotsIgnored: 0 })
  await store.close()
})

/** For each key every state that it may be in: a refused write may have got there, or not. */
class Possible {
  readonly #held = new Map<number, ModelTable[]>()

  apply(entry: SampleEntry, isSure: boolean): void {
    const before = this.#models(entry.id)
    const after = before.map((model) => {
      const next = new ModelTable()
      for (const [id, version] of model.versions) next.versions.set(id, { ...version })
      next.apply(entry)
      return next
    })
    this.#held.set(entry.id, dedupe(isSure ? after : [...before, ...after], entry.id))
  }

  allows(id: number, row: unknown): boolean {
    return this.#models(id).some((model) => Bun.deepEquals(model.row(id), row))
  }

  #models(id: number): ModelTable[] {
    return this.#held.get(id) ?? [new ModelTable()]
  }
}

function dedupe(models: readonly ModelTable[], id: number): ModelTable[] {
  const seen = new Map(models.map((model) => [JSON.stringify(model.versions.get(id)), model]))
  return [...seen.values()]
}

test('whatever fails at random, what was acknowledged stays', async () => {
  const random = new SeededRandom('disk faults')
  disk = new MemoryDisk()
  await open()
  const possible = new Possible()
  const ids = Array.from({ length: 60 }, (_, id) => id)
  const refusals = new Map<string, number>()
  let failing = 0
  const plan = ({ bytes, kind }: Attempt): number | undefined => {
    if (!random.chance(failing)) return undefined
    if (kind === 'write' && random.chance(0.3)) return 1 + random.below(bytes)
    throw diskError(random.pick(['EIO', 'ENOSPC']))
  }
  const check = async () => {
    const rows = await table.read(ids)
    for (const id of ids) expect(possible.allows(id, rows[id]), `key ${id}`).toBe(true)
  }
  const steps = stepsOf(400)
  for (let step = 0; step < steps; step++) {
    disk.plan = plan
    failing = random.pick([0, 0, 0.02, 0.1])
    const entries = random.list(40, () => ({
      id: random.below(60),
      timeUs: step + random.below(3),
      ...(random.chance(0.1) ? {} : { value: random.below(50), blobBytes: random.below(300) }),
    }))
    const refused = await table.write(entries).then(
      () => undefined,
      (error: unknown) => error,
    )
    if (refused !== undefined && !(refused instanceof Fault)) throw refused
    if (refused !== undefined) refusals.set(refused.code, (refusals.get(refused.code) ?? 0) + 1)
    for (const each of entries) possible.apply(each, refused === undefined)
    await check()
    if (random.chance(0.05)) {
      disk.plan = () => undefined
      if (random.chance(0.5)) await reopenKilled()
      else {
        await store.close()
        await open()
      }
      await check()
      expect((await store.verify()).damages).toEqual([])
    }
  }
  expect([...refusals.keys()].sort()).toEqual(['disk_full', 'write_failed'])
}, 600_000)
