/** What a directory must be to be opened, who may open it, and what a snapshot is good for. */
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import type { EmbeddedStore } from '../../src/store/embedded/embedded-store.ts'
import { openEmbeddedStore, verifyStore } from '../../src/store/embedded/embedded-store.ts'
import type { Disk } from '../../src/store/embedded/disk.ts'
import { nodeDisk } from '../../src/store/embedded/node-disk.ts'
import { newDirectory, removeDirectory } from './data-directory.ts'
import { SampleTable } from './sample-table.ts'

let dir: string

const open = (): Promise<EmbeddedStore> => openEmbeddedStore({ dir, durability: 'sync' })

const openReadOnly = (): Promise<EmbeddedStore> =>
  openEmbeddedStore({ dir, durability: 'sync', readOnly: true })

async function writeOne(store: EmbeddedStore, value: number, timeUs = value): Promise<void> {
  const table = await SampleTable.open(store)
  await table.write([{ id: 1, timeUs, value }])
}

async function readOne(store: EmbeddedStore): Promise<unknown> {
  const handle = { table: store.tableNumber('sample', 'id:INT64'), layout: 1 }
  return (await new SampleTable(handle, store, store).read([1]))[0]
}

const row = (value: number) => ({ value, blobBytes: 8, timeUs: value })

beforeEach(() => {
  dir = newDirectory()
})

afterEach(() => removeDirectory(dir))

describe('a directory', () => {
  test('that does not exist becomes a store', async () => {
    dir = `${dir}/a/b`
    const store = await open()
    await writeOne(store, 1)
    await store.close()
    expect(readdirSync(dir).sort()).toEqual([
      '00000001.seg',
      'LOCK',
      'SEGMENTS',
      'STORE',
      'TABLES',
      'index.snap',
    ])
  })

  test('that is made is durable in those above it, before a row is acknowledged', async () => {
    const synced: string[] = []
    const disk: Disk = Object.create(nodeDisk, {
      syncDirectory: {
        value: (path: string) => {
          synced.push(path)
          nodeDisk.syncDirectory(path)
        },
      },
    })
    const store = await openEmbeddedStore({ dir: `${dir}/a/b`, durability: 'sync', disk })
    expect(synced.slice(0, 2)).toEqual([dir, `${dir}/a`])
    await store.close()
  })

  test('that holds something else is refused, and left as it was', async () => {
    writeFileSync(`${dir}/photo.jpg`, 'x')
    await expect(open()).rejects.toMatchObject({ code: 'usage' })
    expect(readdirSync(dir)).toEqual(['photo.jpg'])
  })

  test('of a store whose format is unknown is refused by name', async () => {
    await (await open()).close()
    const line = JSON.stringify({ format: 2, storeId: '00'.repeat(16), hashSeed: 1 })
    const checksum = Bun.hash.crc32(line).toString(16).padStart(8, '0')
    writeFileSync(`${dir}/STORE`, `${line}\n${checksum}\n`)
    await expect(open()).rejects.toMatchObject({
      code: 'usage',
      message: 'store format 2 is unknown to this program: a newer version made it',
      allowed: 'format 1',
    })
  })

  test('whose making was cut off is made again', async () => {
    await (await open()).close()
    rmSync(`${dir}/STORE`)
    rmSync(`${dir}/index.snap`)
    const store = await open()
    await writeOne(store, 1)
    expect(await readOne(store)).toEqual(row(1))
    await store.close()
  })
})

describe('a store that lost a small file', () => {
  for (const name of ['TABLES', 'SEGMENTS']) {
    test(`does not open without ${name}, and verify says so`, async () => {
      const store = await open()
      await writeOne(store, 1)
      await store.close()
      rmSync(`${dir}/${name}`)
      const fault = { code: 'store_damaged', message: expect.stringContaining('is missing') }
      await expect(open()).rejects.toMatchObject(fault)
      await expect(openReadOnly()).rejects.toMatchObject(fault)
      expect(verifyStore(dir).damages).toMatchObject([{ file: name, offset: 0 }])
      expect(readdirSync(dir)).not.toContain(name)
    })
  }
})

describe('the lock', () => {
  test('keeps a second writer out and names the first', async () => {
    const store = await open()
    await expect(open()).rejects.toMatchObject({
      code: 'store_locked',
      message: expect.stringContaining(`pid ${process.pid}`),
    })
    await expect(openReadOnly()).rejects.toMatchObject({ code: 'store_locked' })
    expect(() => verifyStore(dir)).toThrow(`pid ${process.pid}`)
    await store.close()
    await (await open()).close()
  })

  test('lets readers share, and keeps a writer out while they read', async () => {
    const store = await open()
    await writeOne(store, 5)
    await store.close()
    const first = await openReadOnly()
    const second = await openReadOnly()
    expect(await readOne(first)).toEqual(row(5))
    expect(await readOne(second)).toEqual(row(5))
    await expect(open()).rejects.toMatchObject({ code: 'store_locked' })
    await first.close()
    await second.close()
    await (await open()).close()
  })

  test('is given up by a process that is killed', async () => {
    const script = `
      import { openEmbeddedStore } from '${import.meta.dir}/../../src/store/embedded/embedded-store.ts'
      await openEmbeddedStore({ dir: process.argv[1], durability: 'sync' })
      console.log('open')
      setInterval(() => {}, 1000)`
    const holder = Bun.spawn([process.execPath, '-e', script, dir], { stdout: 'pipe' })
    const { value } = await holder.stdout.getReader().read()
    expect(new TextDecoder().decode(value)).toContain('open')
    await expect(open()).rejects.toThrow(`pid ${holder.pid}`)
    holder.kill('SIGKILL')
    await holder.exited
    await (await open()).close()
  })
})

describe('a store opened for reading only', () => {
  test('refuses to write, and changes no file', async () => {
    const store = await open()
    await writeOne(store, 1)
    await store.close()
    const names = readdirSync(dir)
    const reading = await openReadOnly()
    expect(await readOne(reading)).toEqual(row(1))
    await expect(writeOne(reading, 2)).rejects.toMatchObject({ code: 'read_only' })
    await expect(reading.dropTable(1)).rejects.toMatchObject({ code: 'read_only' })
    expect((await reading.verify()).damages).toEqual([])
    await reading.close()
    expect(readdirSync(dir)).toEqual(names)
  })

  test('is not made', async () => {
    mkdirSync(`${dir}/none`)
    dir = `${dir}/none`
    writeFileSync(`${dir}/LOCK`, '')
    await expect(openReadOnly()).rejects.toMatchObject({ code: 'usage' })
  })
})

describe('the snapshot', () => {
  test('is used after a clean stop, and gone before anything changes', async () => {
    let store = await open()
    await writeOne(store, 1)
    await store.close()
    store = await open()
    expect(existsSync(`${dir}/index.snap`)).toBe(true)
    expect(await readOne(store)).toEqual(row(1))
    await writeOne(store, 2)
    expect(existsSync(`${dir}/index.snap`)).toBe(false)
    await store.close()
    expect(existsSync(`${dir}/index.snap`)).toBe(true)
  })

  test('of an earlier state is never used', async () => {
    let store = await open()
    await writeOne(store, 1)
    await store.close()
    const stale = readFileSync(`${dir}/index.snap`)
    store = await open()
    await writeOne(store, 2)
    await store.close()
    writeFileSync(`${dir}/index.snap`, stale)
    store = await open()
    expect(store.stats().counters['snapshotsIgnored']).toBe(1)
    expect(await readOne(store)).toEqual(row(2))
    expect((await store.verify()).damages).toEqual([])
    await store.close()
  })

  test('of another store is never used', async () => {
    const store = await open()
    await writeOne(store, 1)
    await store.close()
    const first = dir
    dir = newDirectory()
    const other = await open()
    await writeOne(other, 2)
    await other.close()
    writeFileSync(`${dir}/index.snap`, readFileSync(`${first}/index.snap`))
    removeDirectory(first)
    const again = await open()
    expect(again.stats().counters['snapshotsIgnored']).toBe(1)
    expect(await readOne(again)).toEqual(row(2))
    await again.close()
  })

  test('of another format is read past', async () => {
    let store = await open()
    await writeOne(store, 1)
    await store.close()
    const snapshot = readFileSync(`${dir}/index.snap`)
    const lineStart = 8
    const lineEnd = snapshot.indexOf('\n', lineStart)
    const line = snapshot
      .toString('latin1', lineStart, lineEnd)
      .replace('"format":1,', '"format":2,')
    const checksum = Bun.hash.crc32(line).toString(16).padStart(8, '0')
    snapshot.write(`${line}\n${checksum}\n`, lineStart, 'latin1')
    writeFileSync(`${dir}/index.snap`, snapshot)
    store = await open()
    expect(store.stats().counters['snapshotsIgnored']).toBe(1)
    expect(await readOne(store)).toEqual(row(1))
    await store.close()
  })

  test('that is cut off is read past', async () => {
    let store = await open()
    await writeOne(store, 1)
    await store.close()
    const whole = readFileSync(`${dir}/index.snap`)
    for (const bytes of [0, 7, 100, whole.length - 1]) {
      writeFileSync(`${dir}/index.snap`, whole.subarray(0, bytes))
      store = await open()
      expect(store.stats().counters['snapshotsIgnored']).toBe(1)
      expect(await readOne(store)).toEqual(row(1))
      await store.close()
    }
  })
})

test('a store that is closed refuses, and answers what came before', async () => {
  const store = await open()
  const table = await SampleTable.open(store)
  const writes = Array.from({ length: 50 }, (_, id) => table.write([{ id, timeUs: 1, value: id }]))
  const closed = store.close()
  await expect(table.write([{ id: 1, timeUs: 2, value: 1 }])).rejects.toMatchObject({
    code: 'unavailable',
  })
  expect((await Promise.all(writes)).flat()).toEqual(new Array(50).fill('new'))
  await closed
})
