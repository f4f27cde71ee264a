/** Random steps against a Map: writes in every lane, deletes, repeats, late rows, reopens, compaction. */
import { cpSync, rmSync } from 'node:fs'
import { expect, test } from 'bun:test'
import { TOMBSTONE_RETENTION_US } from '../../src/base/limits.ts'
import type { EmbeddedStore } from '../../src/store/embedded/embedded-store.ts'
import { openEmbeddedStore } from '../../src/store/embedded/embedded-store.ts'
import type { Lane } from '../../src/store/write-batch.ts'
import { SeededRandom, stepsOf } from '../base/seeded-random.ts'
import { SMALL_SIZES, newDirectory, removeDirectory } from './data-directory.ts'
import { ModelTable } from './model-table.ts'
import type { SampleEntry } from './sample-table.ts'
import { SampleTable, readSampleId, readSampleRow } from './sample-table.ts'

const LANES: readonly Lane[] = ['direct', 'stream', 'batch']
const KEYS = 9_000

/** Whether tombstones are past their retention as soon as they are written. */
type Memory = 'remembers deletes' | 'forgets deletes'

class Run {
  readonly #random: SeededRandom
  readonly #memory: Memory
  readonly #model = new ModelTable()
  #directory = newDirectory()
  #store!: EmbeddedStore
  #table!: SampleTable
  #timeUs = 1000
  /** Segments that compaction removed, and index shards that grew, over all opens. */
  retired = 0
  grown = 0

  constructor(random: SeededRandom, memory: Memory) {
    this.#random = random
    this.#memory = memory
  }

  async open(): Promise<void> {
    this.#store = await openEmbeddedStore({
      dir: this.#directory,
      durability: this.#random.pick(['sync', 'process']),
      sizes: SMALL_SIZES,
      clock: () => (this.#memory === 'remembers deletes' ? 0 : 10 * TOMBSTONE_RETENTION_US),
    })
    this.#table = await SampleTable.open(this.#store)
  }

  async step(): Promise<void> {
    const choice = this.#random.below(100)
    if (choice < 70) await this.#write()
    else if (choice < 85) await this.#checkSome()
    else if (choice < 88) await this.#checkScan()
    else if (choice < 91) await this.#store.compact()
    else if (choice < 94) await this.#reopen(true)
    else if (choice < 97) await this.#reopen(false)
    else await this.#reopenKilled()
  }

  async checkAll(): Promise<void> {
    const ids = Array.from({ length: KEYS }, (_, id) => id)
    expect(await this.#table.read(ids)).toEqual(ids.map((id) => this.#model.row(id)))
    const { rows, tombstones } = this.#store.stats()
    expect(rows).toBe(this.#model.ids().length)
    if (this.#memory === 'remembers deletes') expect(tombstones).toBe(this.#model.tombstones)
    else expect(tombstones).toBeLessThanOrEqual(this.#model.tombstones)
    expect((await this.#store.verify()).damages).toEqual([])
  }

  async end(): Promise<void> {
    await this.#close()
    removeDirectory(this.#directory)
  }

  async #close(): Promise<void> {
    const { segmentsRetired = 0, shardsGrown = 0 } = this.#store.stats().counters
    this.retired += segmentsRetired
    this.grown += shardsGrown
    await this.#store.close()
  }

  /** A batch in each of some lanes at once, of keys that are the lane's own. */
  async #write(): Promise<void> {
    const lanes = this.#random.shuffled(LANES).slice(0, 1 + this.#random.below(3))
    const answers = lanes.map((lane) => this.#writeIn(lane))
    await Promise.all(answers)
  }

  async #writeIn(lane: Lane): Promise<void> {
    const entries = this.#random.list(this.#random.chance(0.05) ? 1000 : 80, () =>
      this.#entry(LANES.indexOf(lane)),
    )
    const expected = entries.map((entry) => this.#model.apply(entry))
    const outcomes = await this.#table.write(entries, lane)
    if (this.#memory === 'remembers deletes') expect(outcomes).toEqual(expected)
  }

  #entry(lane: number): SampleEntry {
    // Most writes go to few keys, so that they supersede; the others make the index grow.
    const keys = this.#random.chance(0.8) ? 120 : KEYS / LANES.length
    const id = this.#random.below(keys) * LANES.length + lane
    this.#timeUs += this.#random.below(3)
    const isLate = this.#memory === 'remembers deletes' && this.#random.chance(0.3)
    const timeUs = this.#timeUs - (isLate ? this.#random.below(300) : 0)
    const held = this.#model.row(id)
    if (this.#random.chance(0.1)) return { id, timeUs }
    if (held !== undefined && this.#random.chance(0.3)) {
      return { ...held, id, timeUs: this.#random.chance(0.5) ? held.timeUs : timeUs }
    }
    return { id, timeUs, value: this.#random.below(1000), blobBytes: this.#random.below(200) }
  }

  async #checkSome(): Promise<void> {
    const ids = this.#random.list(50, () => this.#random.below(KEYS + 50))
    expect(await this.#table.read(ids)).toEqual(ids.map((id) => this.#model.row(id)))
  }

  async #checkScan(): Promise<void> {
    const seen = new Map<number, unknown>()
    for (const { key, row, timeUs } of this.#store.scan(this.#table.handle.table)) {
      expect(seen.has(readSampleId(key))).toBe(false)
      seen.set(readSampleId(key), readSampleRow(row, timeUs))
    }
    const ids = this.#model.ids()
    expect(seen).toEqual(new Map(ids.map((id) => [id, this.#model.row(id)])))
  }

  async #reopen(hasSnapshot: boolean): Promise<void> {
    await this.#close()
    if (!hasSnapshot) rmSync(`${this.#directory}/index.snap`)
    await this.open()
    expect(this.#store.stats().counters['snapshotsIgnored']).toBe(0)
    await this.checkAll()
  }

  /** As after SIGKILL: the files as they are now, with nothing said at the end. */
  async #reopenKilled(): Promise<void> {
    const copy = newDirectory()
    cpSync(this.#directory, copy, { recursive: true })
    await this.#close()
    removeDirectory(this.#directory)
    this.#directory = copy
    await this.open()
    await this.checkAll()
  }
}

for (const memory of ['remembers deletes', 'forgets deletes'] as const) {
  test(`a store of random steps is what a map of them is (${memory})`, async () => {
    const run = new Run(new SeededRandom(`store model, ${memory}`), memory)
    await run.open()
    const steps = stepsOf(200)
    for (let step = 0; step < steps; step++) await run.step()
    await run.checkAll()
    await run.end()
    expect(run.retired).toBeGreaterThan(0)
    expect(run.grown).toBeGreaterThan(0)
  }, 600_000)
}
