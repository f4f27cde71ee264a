/**
 * The power goes at any moment: from every prefix of what was written and synced, disks are made with
 * unsynced blocks lost, torn or reordered and directory changes undone. Each must open, with every
 * acknowledged row; so must those that are left when a kill and another run came before. The canaries take a kind of sync out, and then this must be seen.
 *
 * STEPS= sets how many writes the history has, IMAGES= how many disks are made for each prefix,
 * KILLS_SHARE= at how many of the prefixes a process is killed.
 */
import { describe, expect, test } from 'bun:test'
import type { Durability } from '../../src/store/embedded/embedded-writer.ts'
import type { EmbeddedStore } from '../../src/store/embedded/embedded-store.ts'
import { openEmbeddedStore } from '../../src/store/embedded/embedded-store.ts'
import type { LogSizes } from '../../src/store/embedded/log-sizes.ts'
import type { Lane } from '../../src/store/write-batch.ts'
import { SeededRandom, stepsOf } from '../base/seeded-random.ts'
import type { Omission } from './memory-disk.ts'
import { MemoryDisk } from './memory-disk.ts'
import { ModelTable } from './model-table.ts'
import type { SampleEntry, SampleRow } from './sample-table.ts'
import { SampleTable } from './sample-table.ts'

const DIR = '/store'
const LANES: readonly Lane[] = ['direct', 'stream', 'batch']
const KEYS = 60
/** The row of the run between a kill and the power cut. */
const WRITTEN_LAST = KEYS + 1

const SIZES: LogSizes = {
  segmentBytes: 32 * 1024,
  groupBytesMax: 12 * 1024,
  groupRoomMin: 4 * 1024,
  fillBytes: 8 * 1024,
}

/** A key's states in the order of the writes that made them. */
type Step = { readonly write: number; readonly row: SampleRow | undefined }

class History {
  readonly disk = new MemoryDisk()
  readonly durability: Durability
  readonly steps = new Map<number, Step[]>()
  readonly #random: SeededRandom
  readonly #model = new ModelTable()
  #store!: EmbeddedStore
  #table!: SampleTable
  #writes = 0
  #timeUs = 1000

  constructor(random: SeededRandom, durability: Durability) {
    this.#random = random
    this.durability = durability
  }

  async run(writes: number): Promise<void> {
    await this.#open()
    while (this.#writes < writes) {
      if (this.#writes === writes >> 1) await this.#store.compact()
      const choice = this.#random.below(100)
      if (choice < 88) await Promise.all(this.#lanes().map((lane) => this.#write(lane)))
      else if (choice < 94) await this.#store.compact()
      else await this.#reopen()
    }
    await this.#store.close()
  }

  async #open(): Promise<void> {
    const { disk, durability } = this
    const clock = () => 0
    this.#store = await openEmbeddedStore({ dir: DIR, durability, disk, sizes: SIZES, clock })
    this.#table = await SampleTable.open(this.#store)
  }

  async #reopen(): Promise<void> {
    await this.#store.close()
    await this.#open()
  }

  #lanes(): Lane[] {
    return this.#random.shuffled(LANES).slice(0, 1 + this.#random.below(3))
  }

  async #write(lane: Lane): Promise<void> {
    const write = this.#writes++
    const entries = this.#random.list(12, () => this.#entry(LANES.indexOf(lane)))
    for (const entry of entries) {
      this.#model.apply(entry)
      const steps = this.steps.get(entry.id) ?? []
      this.steps.set(entry.id, steps)
      steps.push({ write, row: this.#model.row(entry.id) })
    }
    this.disk.mark(2 * write)
    await this.#table.write(entries, lane)
    this.disk.mark(2 * write + 1)
  }

  #entry(lane: number): SampleEntry {
    const id = this.#random.below(KEYS / LANES.length) * LANES.length + lane
    this.#timeUs += this.#random.below(3)
    const timeUs = this.#timeUs - (this.#random.chance(0.2) ? this.#random.below(50) : 0)
    const held = this.#model.row(id)
    if (this.#random.chance(0.1)) return { id, timeUs }
    if (held !== undefined && this.#random.chance(0.3)) return { ...held, id, timeUs }
    const blobBytes = this.#random.below(this.#random.chance(0.1) ? 3000 : 200)
    return { id, timeUs, value: this.#random.below(1000), blobBytes }
  }
}

/** Opens what a power cut left and lists what is wrong with it. */
async function faultsOf(
  disk: MemoryDisk,
  history: History,
  marks: ReadonlySet<number>,
  mayLose: boolean,
): Promise<string[]> {
  let store: EmbeddedStore
  try {
    store = await openEmbeddedStore({ dir: DIR, durability: 'sync', disk, sizes: SIZES })
  } catch (error) {
    return [`it does not open: ${error}`]
  }
  try {
    const table = await SampleTable.open(store)
    const ids = Array.from({ length: KEYS }, (_, id) => id)
    const rows = await table.read(ids)
    const faults = ids.flatMap((id) => wrongRow(id, rows[id], history, marks, mayLose))
    const { damages } = await store.verify()
    faults.push(...damages.map(({ file, offset, what }) => `${file} at ${offset}: ${what}`))
    await table.write([{ id: KEYS, timeUs: 1, value: 1 }])
    return faults
  } finally {
    await store.close()
  }
}

/** A key must be as some write left it that was begun, and no write before the last acknowledged. */
function wrongRow(
  id: number,
  row: SampleRow | undefined | 'failed',
  history: History,
  marks: ReadonlySet<number>,
  mayLose: boolean,
): string[] {
  const steps = (history.steps.get(id) ?? []).filter(({ write }) => marks.has(2 * write))
  const acknowledged = steps.findLastIndex(({ write }) => marks.has(2 * write + 1))
  const allowed: unknown[] = steps.slice(Math.max(acknowledged, 0)).map((step) => step.row)
  if (acknowledged < 0) allowed.push(undefined)
  if (mayLose) allowed.push(undefined, ...steps.map((step) => step.row))
  if (allowed.some((one) => Bun.deepEquals(one, row))) return []
  return [`key ${id} is ${JSON.stringify(row)}, of ${JSON.stringify(allowed)}`]
}

/** All faults of all disks of a history, and how many disks there were. */
async function cutEverywhere(
  history: History,
  random: SeededRandom,
  options: { readonly images: number; readonly mayLose: boolean; readonly stopAtFirst: boolean },
): Promise<{ faults: string[]; disks: number }> {
  const marks = new Set<number>()
  const faults: string[] = []
  let disks = 0
  for (let count = 0; count <= history.disk.ops.length; count++) {
    const last = history.disk.ops[count - 1]
    if (last?.kind === 'mark') marks.add(last.mark)
    for (let image = 0; image < options.images; image++) {
      const keep = image === 0 && random.chance(0.3) ? 'none' : 'some'
      const disk = history.disk.afterPowerCut(count, random, keep)
      const found = await faultsOf(disk, history, marks, options.mayLose)
      faults.push(...found.map((fault) => `after op ${count}: ${fault}`))
      disks++
      if (random.chance(0.1)) {
        // And once more while the store mends what the first cut left.
        const { ops, historyStart } = disk
        const moment = historyStart + random.below(ops.length - historyStart + 1)
        const again = disk.afterPowerCut(moment, random, 'some')
        const foundAgain = await faultsOf(again, history, marks, options.mayLose)
        faults.push(...foundAgain.map((fault) => `after op ${count}, twice: ${fault}`))
      }
      if (faults.length > 0 && options.stopAtFirst) return { faults, disks }
    }
  }
  return { faults, disks }
}

/** A run that is killed after `count` ops, another that writes a row, and then the power goes. */
async function faultsAfterKill(
  history: History,
  count: number,
  random: SeededRandom,
  options: { readonly marks: ReadonlySet<number>; readonly mayLose: boolean },
): Promise<string[]> {
  const disk = history.disk.afterKill(count)
  const { durability } = history
  const store = await openEmbeddedStore({ dir: DIR, durability, disk, sizes: SIZES })
  const table = await SampleTable.open(store)
  await table.write([{ id: WRITTEN_LAST, timeUs: 1, value: 7 }])
  const cut = disk.afterPowerCut(disk.ops.length, random, random.chance(0.8) ? 'none' : 'some')
  await store.close()
  const faults = await faultsOf(cut, history, options.marks, options.mayLose)
  if (faults.length > 0 || options.mayLose) return faults
  const again = await openEmbeddedStore({ dir: DIR, durability, disk: cut, sizes: SIZES })
  const [row] = await (await SampleTable.open(again)).read([WRITTEN_LAST])
  await again.close()
  return row === undefined ? ['the row that was written last is gone'] : []
}

async function killEverywhere(
  history: History,
  random: SeededRandom,
  mayLose: boolean,
): Promise<{ faults: string[]; kills: number }> {
  const { ops } = history.disk
  const marks = new Set<number>()
  const faults: string[] = []
  let kills = 0
  for (let count = 0; count <= ops.length && faults.length === 0; count++) {
    const last = ops[count - 1]
    if (last?.kind === 'mark') marks.add(last.mark)
    // A name that changed and is not synced yet is what a second run must not build upon.
    if (last?.kind === 'rename' || random.chance(KILLS_SHARE)) {
      const found = await faultsAfterKill(history, count, random, { marks, mayLose })
      faults.push(...found.map((fault) => `killed after op ${count}: ${fault}`))
      kills++
    }
  }
  return { faults, kills }
}

/** Of the moments between two operations, how many see a kill. */
const KILLS_SHARE = Number(process.env['KILLS_SHARE'] ?? 0.1)

const images = Number(process.env['IMAGES'] ?? 1)

describe('a power cut at any moment', () => {
  test('never takes an acknowledged row', async () => {
    const random = new SeededRandom('power loss')
    const history = new History(random, 'sync')
    await history.run(stepsOf(40))
    const options = { images, mayLose: false, stopAtFirst: true }
    const { faults, disks } = await cutEverywhere(history, random, options)
    expect(faults).toEqual([])
    expect(disks).toBeGreaterThan(100)
  }, 3_600_000)

  test('leaves a store that opens, with rows that were written, where writes were not synced', async () => {
    const random = new SeededRandom('power loss, unsynced')
    const history = new History(random, 'process')
    await history.run(stepsOf(40))
    const options = { images, mayLose: true, stopAtFirst: true }
    const { faults } = await cutEverywhere(history, random, options)
    expect(faults).toEqual([])
  }, 3_600_000)

  for (const durability of ['sync', 'process'] satisfies Durability[]) {
    test(`after a kill at any moment and another run leaves what was promised (${durability})`, async () => {
      const random = new SeededRandom(`kill, run, cut, ${durability}`)
      const history = new History(random, durability)
      await history.run(stepsOf(30))
      const { faults, kills } = await killEverywhere(history, random, durability === 'process')
      expect(faults).toEqual([])
      expect(kills).toBeGreaterThan(20)
    }, 3_600_000)
  }

  for (const omission of ['fdatasync', 'fsync', 'directory'] satisfies Omission[]) {
    test(`is noticed to take rows if ${omission} is left out`, async () => {
      const random = new SeededRandom(`power loss without ${omission}`)
      const history = new History(random, 'sync')
      history.disk.omission = omission
      await history.run(40)
      const options = { images: 1, mayLose: false, stopAtFirst: true }
      const { faults } = await cutEverywhere(history, random, options)
      expect(faults).not.toEqual([])
    }, 60_000)
  }
})
