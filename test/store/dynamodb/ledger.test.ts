/** A ledger on its own: what it holds survives a kill at any byte and a power cut at any moment. */
import { describe, expect, test } from 'bun:test'
import { TOMBSTONE_RETENTION_US } from '../../../src/base/limits.ts'
import { auditSample } from '../../../src/store/dynamodb/ledger-audit.ts'
import { LedgerEntries } from '../../../src/store/dynamodb/ledger-record.ts'
import { LedgerTable } from '../../../src/store/dynamodb/ledger-table.ts'
import { Ledger } from '../../../src/store/dynamodb/ledger.ts'
import { nodeDisk } from '../../../src/store/embedded/node-disk.ts'
import { SeededRandom, stepsOf } from '../../base/seeded-random.ts'
import { newDirectory, removeDirectory } from '../data-directory.ts'
import { MemoryDisk } from '../memory-disk.ts'

const BINDING = { arn: 'arn:aws:dynamodb:us-east-1:1:table/t', createdS: 17.25, layout: '{"a":1}' }
const PATH = '/ledgers/table/LEDGER'

const placeOn = (disk: MemoryDisk, nowUs = 0) => ({
  disk,
  directory: '/ledgers',
  tableName: 'table',
  nowUs: () => nowUs,
})

const makeOn = (disk: MemoryDisk): Promise<Ledger> =>
  Ledger.rebuild(placeOn(disk), BINDING, async () => undefined)

function openOn(disk: MemoryDisk, nowUs = 0): Ledger {
  disk.breakLock()
  const ledger = Ledger.open(placeOn(disk, nowUs), BINDING)
  if (ledger === undefined) throw new Error('no ledger')
  return ledger
}

type Change = { readonly key: number; readonly digest: number; readonly timeUs: number }

function entriesOf(changes: readonly Change[]): LedgerEntries {
  const entries = new LedgerEntries()
  for (const { key, digest, timeUs } of changes) entries.add(key, key, digest, 0, timeUs)
  return entries
}

/** What a ledger says, as plain values: its rows, its tombstones and its doubts. */
function saysOf(ledger: Ledger, keys: number): unknown[] {
  return Array.from({ length: keys }, (_, index) => {
    const key = index + 1
    ledger.find(key, key)
    const { kind, timeUs, digestLow } = ledger
    const held = kind === 'nothing' ? [kind] : [kind, timeUs, kind === 'row' ? digestLow : 0]
    return [...held, ledger.doubt(key, key)]
  })
}

/** A few writes, some never settled; `after` is told after each step that is durable. */
async function live(ledger: Ledger, random: SeededRandom, after: () => void): Promise<void> {
  for (let step = 0; step < 6; step++) {
    const changes = Array.from({ length: 1 + random.below(4) }, () => ({
      key: 1 + random.below(9),
      digest: random.below(3),
      timeUs: random.below(1000),
    }))
    await ledger.intend(entriesOf(changes))
    after()
    if (random.chance(0.2)) continue
    await ledger.settle(entriesOf(changes))
    after()
  }
}

describe('a ledger', () => {
  test('cut off at any byte says what its whole records said, and goes on', async () => {
    const random = new SeededRandom('ledger cut')
    const disk = new MemoryDisk()
    const ledger = await makeOn(disk)
    const says: (readonly [bytes: number, said: unknown[]])[] = []
    const note = (): void => void says.push([ledger.fileBytes, saysOf(ledger, 9)])
    note()
    await live(ledger, random, note)
    const whole = disk.content(PATH).length
    for (let bytes = says[0]![0]; bytes <= whole; bytes++) {
      const cut = disk.copy()
      cut.cut(PATH, bytes)
      const opened = openOn(cut)
      const [end, said] = says.findLast(([at]) => at <= bytes)!
      expect(saysOf(opened, 9)).toEqual(said)
      expect(cut.content(PATH).length).toBe(end)
      await opened.settle(entriesOf([{ key: 5, digest: 7, timeUs: 5000 }]))
      opened.close()
      const again = openOn(cut)
      again.find(5, 5)
      expect([again.kind, again.timeUs, again.digestLow]).toEqual(['row', 5000, 7])
      again.close()
    }
  })

  test('after a power cut at any moment holds all that was durable', async () => {
    const random = new SeededRandom('ledger power cut')
    for (let round = 0; round < stepsOf(10); round++) {
      const disk = new MemoryDisk()
      const ledger = await makeOn(disk)
      const durable: (readonly [ops: number, said: unknown[]])[] = []
      const note = (): void => void durable.push([disk.ops.length, saysOf(ledger, 9)])
      note()
      await live(ledger, random, note)
      if (random.chance(0.5)) ledger.compact()
      note()
      const first = durable[0]![0]
      for (let count = first; count <= disk.ops.length; count++) {
        const cut = disk.afterPowerCut(count, random, random.pick(['none', 'all', 'some']))
        const opened = openOn(cut)
        const before = durable.findLast(([ops]) => ops <= count)![1]
        const next = durable.find(([ops]) => ops > count)?.[1] ?? before
        const said = saysOf(opened, 9)
        expect([before, next].some((one) => Bun.deepEquals(one, said))).toBe(true)
        opened.close()
      }
    }
  })

  test('with a changed byte before its last record is refused, and a rebuild is asked for', async () => {
    const disk = new MemoryDisk()
    const ledger = await makeOn(disk)
    await ledger.settle(entriesOf([{ key: 1, digest: 1, timeUs: 1 }]))
    const lastAt = disk.content(PATH).length
    await ledger.settle(entriesOf([{ key: 2, digest: 1, timeUs: 1 }]))
    ledger.close()
    for (let offset = 0; offset < lastAt; offset++) {
      const spoilt = disk.copy()
      spoilt.flip(PATH, offset, 0x10)
      expect(() => openOn(spoilt)).toThrow(
        expect.objectContaining({
          code: 'store_damaged',
          allowed: expect.stringContaining('ledger rebuild'),
        }),
      )
    }
  })

  test('of another table, or for other features, is refused', async () => {
    const disk = new MemoryDisk()
    ;(await makeOn(disk)).close()
    for (const other of [{ arn: 'arn:other' }, { createdS: 18 }, { layout: '{"b":1}' }]) {
      expect(() => Ledger.open(placeOn(disk), { ...BINDING, ...other })).toThrow(
        expect.objectContaining({ code: 'store_damaged' }),
      )
    }
    openOn(disk).close()
  })

  test('begins no write after one that could not be made durable', async () => {
    const disk = new MemoryDisk()
    const ledger = await makeOn(disk)
    await ledger.settle(entriesOf([{ key: 1, digest: 1, timeUs: 1 }]))
    disk.plan = ({ kind }) => {
      if (kind === 'sync') throw new Error('the disk is gone')
      return undefined
    }
    const change = entriesOf([{ key: 2, digest: 1, timeUs: 1 }])
    await expect(ledger.intend(change)).rejects.toMatchObject({ code: 'write_failed' })
    disk.plan = () => undefined
    await expect(ledger.intend(change)).rejects.toMatchObject({ code: 'write_failed' })
    expect(ledger.doubt(2, 2)).toBeUndefined()
    ledger.close()
  })

  test('forgets a tombstone after its retention, and drops it when it is written anew', async () => {
    const disk = new MemoryDisk()
    const ledger = await makeOn(disk)
    await ledger.settle(entriesOf([{ key: 1, digest: 0, timeUs: 10 }]))
    await ledger.settle(entriesOf([{ key: 2, digest: 5, timeUs: 10 }]))
    ledger.close()
    const kinds = [10, 11].map((lateUs) => {
      const opened = openOn(disk, TOMBSTONE_RETENTION_US + lateUs)
      opened.find(1, 1)
      const { kind } = opened
      opened.compact()
      opened.close()
      return [kind, disk.content(PATH).length]
    })
    expect(kinds[0]![0]).toBe('tombstone')
    expect(kinds[1]![0]).toBe('nothing')
    expect(Number(kinds[0]![1]) - Number(kinds[1]![1])).toBe(24)
  })

  test('keeps in doubt what was meant and not settled, through being written anew', async () => {
    const disk = new MemoryDisk()
    const ledger = await makeOn(disk)
    await ledger.intend(
      entriesOf([
        { key: 1, digest: 4, timeUs: 10 },
        { key: 2, digest: 0, timeUs: 20 },
      ]),
    )
    ledger.compact()
    ledger.close()
    const opened = openOn(disk)
    expect(opened.doubt(1, 1)).toEqual({ isDelete: false, timeUs: 10 })
    expect(opened.doubt(2, 2)).toEqual({ isDelete: true, timeUs: 20 })
    await opened.settle(entriesOf([{ key: 1, digest: 4, timeUs: 10 }]))
    expect(opened.doubt(1, 1)).toBeUndefined()
    opened.close()
  })

  test('is written anew by itself when its journal has outgrown its rows', async () => {
    const disk = new MemoryDisk()
    const ledger = await makeOn(disk)
    const many = Array.from({ length: 60_000 }, (_, key) => ({
      key: key + 1,
      digest: 9,
      timeUs: 1,
    }))
    for (let round = 0; round < 6; round++) await ledger.settle(entriesOf(many))
    expect(ledger.fileBytes).toBeLessThan(3.1 * 60_000 * 24 + 4 * 1024 * 1024)
    ledger.close()
    const opened = openOn(disk)
    expect(opened.rows).toBe(60_000)
    opened.close()
  })

  test('is held by one process at a time', async () => {
    const directory = newDirectory()
    const place = { disk: nodeDisk, directory, tableName: 'table', nowUs: () => 0 }
    const ledger = await Ledger.rebuild(place, BINDING, async () => undefined)
    expect(() => Ledger.open(place, BINDING)).toThrow(
      expect.objectContaining({ code: 'store_locked' }),
    )
    ledger.close()
    Ledger.open(place, BINDING)?.close()
    removeDirectory(directory)
  })

  test('is audited by keys of the input as they come, and of too many by a random choice', () => {
    const random = new SeededRandom('ledger audit')
    const budget = { left: 50 }
    const keys = (count: number) => Array.from({ length: count }, (_, key) => key)
    expect(auditSample(keys(20), budget, Math.random)).toEqual(keys(20))
    const counts = new Float64Array(300)
    for (let round = 0; round < 2000; round++) {
      budget.left = 30
      const sample = auditSample(keys(300), budget, () => random.next())
      expect(new Set(sample).size).toBe(30)
      for (const key of sample) counts[key]! += 1
      expect(auditSample(keys(300), budget, Math.random)).toEqual([])
    }
    // Each comes 200 times in the mean, and 13 more or fewer is usual.
    expect(counts.every((count) => count > 100 && count < 300)).toBe(true)
  })

  test('takes at most 32 bytes of memory a row, at any size', () => {
    const random = new SeededRandom('ledger memory')
    const table = new LedgerTable()
    const emptyBytes = table.bytes
    const model = new Map<number, number>()
    for (let row = 0; row < 150_000; row++) {
      const low = random.below(2 ** 32) | 0
      const high = random.below(2 ** 32) | 0
      table.set(low, high, row + 1, 0, row)
      if (row % 1000 === 0) {
        model.set(low, high)
        expect(table.bytes).toBeLessThanOrEqual(Math.max(emptyBytes, 32 * table.rows) + emptyBytes)
      }
    }
    for (const [low, high] of model) expect(table.find(low, high)).toBe(true)
    expect(table.rows).toBe(150_000)
    expect(table.bytes).toBeLessThanOrEqual(32 * table.rows)
  })

  test('knows as many rows and tombstones as a map that is told the same', () => {
    const random = new SeededRandom('ledger table')
    const table = new LedgerTable()
    const model = new Map<number, readonly [digest: number, timeUs: number]>()
    for (let step = 0; step < stepsOf(20_000); step++) {
      const key = 1 + random.below(3000)
      const digest = random.below(4)
      table.set(key, key << 20, digest, 0, step)
      model.set(key, [digest, step])
    }
    const tombstones = [...model.values()].filter(([digest]) => digest === 0).length
    expect([table.tombstones, table.rows]).toEqual([tombstones, model.size - tombstones])
    for (const [key, [digest, timeUs]] of model) {
      expect(table.find(key, key << 20)).toBe(true)
      expect([table.digestLow, table.timeUs]).toEqual([digest, timeUs])
    }
    let seen = 0
    table.visit(() => void seen++)
    expect(seen).toBe(model.size)
  })
})
