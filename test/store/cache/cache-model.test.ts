/**
 * Random steps against the history of every key: reads that overlap, own writes, writes of others,
 * failures, and time. An answer must have been true at some moment between the bound before its read
 * and its arrival, and must not be from before a write that was acknowledged before its read.
 */
import { expect, test } from 'bun:test'
import { SeededRandom, stepsOf } from '../../base/seeded-random.ts'
import type { CachedTable, Found, Write } from './cached-table.ts'
import { CachedTables, answersOf, keptFor } from './cached-table.ts'

const KEYS = 24

/** What a key held, and from when on; its end is the next one's start. */
type Version = {
  readonly fromMs: number
  /** Undefined: there was no row. */
  readonly value: number | undefined
  readonly timeUs: number
  /** When the cache was told of it, for an own write: as long it may pass for the current one. */
  toldMs: number
}

class History {
  readonly #versions = new Map<number, Version[]>()
  /** For each key the number of the last version that was acknowledged. */
  readonly #told = new Map<number, number>()

  of(id: number): Version[] {
    const versions = this.#versions.get(id) ?? [
      { fromMs: -Infinity, value: undefined, timeUs: 0, toldMs: -Infinity },
    ]
    this.#versions.set(id, versions)
    return versions
  }

  last(id: number): Version {
    return this.of(id).at(-1)!
  }

  told(id: number): number {
    return this.#told.get(id) ?? 0
  }

  tell(id: number, version: Version, nowMs: number): void {
    version.toldMs = nowMs
    this.#told.set(id, this.of(id).indexOf(version))
  }

  /** Whether the value was the current one at some moment from then on, not before version `least`. */
  isTrue(id: number, found: Found, fromMs: number, least: number): boolean {
    const versions = this.of(id)
    const value = found === undefined || typeof found === 'string' ? undefined : found.value
    return versions.some((version, at) => {
      const untilMs = Math.max(versions[at + 1]?.fromMs ?? Infinity, version.toldMs)
      return version.value === value && untilMs >= fromMs && at >= least
    })
  }
}

/** A table, how the model takes it to be declared, and what it held. */
type Modelled = {
  readonly table: CachedTable
  readonly boundMs: number
  readonly staleIfError: boolean
  readonly history: History
}

type Reading = {
  readonly keys: readonly { readonly of: Modelled; readonly id: number; readonly least: number }[]
  readonly startedMs: number
  readonly check: () => void
}

/** Faults that the model must see. */
type Canary = 'none' | 'bound ignored' | 'writes not followed' | 'stale rows not counted'

class Run {
  readonly #random: SeededRandom
  readonly #canary: Canary
  readonly #tables: CachedTables
  readonly #modelled: readonly Modelled[]
  readonly #pending: (() => void)[] = []
  #value = 0
  readonly #unsettled = new Set<Promise<void>>()

  constructor(random: SeededRandom, bytesMax: number, canary: Canary) {
    this.#random = random
    this.#canary = canary
    this.#tables = new CachedTables(bytesMax)
    this.#modelled = [
      this.#open('never', 0, false),
      this.#open('short', 20, false),
      this.#open('long', 300, false),
      this.#open('stale', 40, true),
    ]
  }

  get counters(): Readonly<Record<string, number>> {
    return this.#tables.cache.counters
  }

  async step(): Promise<void> {
    const random = this.#random
    const { store } = this.#tables
    const choice = random.below(100)
    if (choice < 30) this.#tables.nowMs += random.pick([0.5, 1, 5, 30])
    else if (choice < 45) this.#write()
    else if (choice < 55) this.#tellOldest()
    else if (choice < 62) this.#writeOfAnother()
    else if (choice < 70) await this.#release()
    else {
      store.mode = random.pick(['answer', 'answer', 'answer', 'hold', 'hold', 'fail', 'late'])
      this.#read()
    }
  }

  async end(): Promise<void> {
    while (this.#tables.store.held.length > 0) await this.#release()
    await Promise.all(this.#unsettled)
  }

  #open(name: string, boundMs: number, staleIfError: boolean): Modelled {
    const declaredMs = this.#canary === 'bound ignored' ? boundMs * 10 : boundMs
    const table = this.#tables.open(name, { ...keptFor(declaredMs), staleIfError })
    return { table, boundMs, staleIfError, history: new History() }
  }

  /** Durable at once, told to the cache later, in the order of the writes. */
  #write(): void {
    const { table, history } = this.#random.pick(this.#modelled)
    const entries = this.#random.list(4, () => this.#change(history))
    const versions = entries.map(({ id }) => history.last(id))
    table.setUnseen(...entries)
    const lane = this.#random.pick(['direct', 'stream', 'batch'] as const)
    const tell = (): void => {
      if (this.#canary !== 'writes not followed') table.follow(entries, lane)
      entries.forEach(({ id }, at) => history.tell(id, versions[at]!, this.#tables.nowMs))
    }
    this.#pending.push(tell)
    if (this.#random.chance(0.5)) while (this.#pending.length > 0) this.#tellOldest()
  }

  #tellOldest(): void {
    this.#pending.shift()?.()
  }

  #writeOfAnother(): void {
    const { table, history } = this.#random.pick(this.#modelled)
    table.setUnseen(this.#change(history))
  }

  /** A new version of some key, later in event time or of the same. */
  #change(history: History): Write {
    const id = this.#random.below(KEYS)
    const before = history.last(id)
    const timeUs = before.timeUs + this.#random.below(3)
    const value = this.#random.chance(0.25) ? undefined : ++this.#value
    const fromMs = this.#tables.nowMs
    history.of(id).push({ fromMs, value, timeUs, toldMs: -Infinity })
    const blobBytes = this.#random.pick([8, 8, 40, 900])
    return value === undefined ? { id, timeUs } : { id, timeUs, value, blobBytes }
  }

  #read(): void {
    const keys = this.#random
      .shuffled(this.#modelled.flatMap((of) => [...Array(KEYS).keys()].map((id) => ({ of, id }))))
      .slice(0, 1 + this.#random.below(8))
      .map(({ of, id }) => ({ of, id, least: of.history.told(id) }))
    const startedMs = this.#tables.nowMs
    const numbers = keys.map(({ of }) => of.table.number)
    const batch = this.#modelled[0]!.table.batchOf(
      keys.map(({ id }) => id),
      numbers,
    )
    const check = (): void =>
      this.#check({ keys, startedMs, check }, answersOf(batch), batch.staleRows)
    const reading = this.#tables.cache.readMany(batch, Infinity)
    if (reading === undefined) check()
    else this.#await(reading.then(check))
  }

  #await(checked: Promise<void>): void {
    this.#unsettled.add(checked)
    // A failure stays in the set for `end`; what went well is forgotten.
    checked.then(
      () => this.#unsettled.delete(checked),
      () => {},
    )
  }

  async #release(): Promise<void> {
    const { held } = this.#tables.store
    if (held.length === 0) return
    const [read] = held.splice(this.#random.below(held.length), 1)
    read!.release(this.#random.pick(['then', 'then', 'now', 'fail', 'late']))
    await Promise.resolve() // the cache's part of it, and then the check's, before the next step
    await Promise.resolve()
  }

  #check({ keys, startedMs }: Reading, answers: readonly Found[], staleRows: number): void {
    let stale = 0
    keys.forEach(({ of, id, least }, at) => {
      const found = answers[at]
      if (found === 'failed' || found === 'late') return
      if (of.history.isTrue(id, found, startedMs - of.boundMs, least)) return
      if (of.staleIfError && of.history.isTrue(id, found, -Infinity, 0)) stale++
      else throw new Error(`${of.table.name} ${id}: ${JSON.stringify(found)} at ${startedMs}`)
    })
    const counted = this.#canary === 'stale rows not counted' ? 0 : staleRows
    if (stale > counted) throw new Error(`${stale} stale rows, ${counted} counted`)
  }
}

async function run(name: string, bytesMax: number, canary: Canary): Promise<Run> {
  const random = new SeededRandom(`cache, ${name}`)
  const steps = new Run(random, bytesMax, canary)
  for (let step = 0; step < stepsOf(20_000); step++) await steps.step()
  await steps.end()
  return steps
}

/** Where there is room for all: entries go only to make way for others that changed their length. */
const RARE: ReadonlySet<string> = new Set(['cacheEvicted', 'cacheTooLarge'])

test('every answer is true within its bound, in ample memory', async () => {
  const { counters } = await run('ample', 256 * 1024, 'none')
  expect(counters['cacheTooLarge']).toBe(0)
  for (const [name, count] of Object.entries(counters)) {
    if (!RARE.has(name)) expect({ [name]: count > 0 }).toEqual({ [name]: true })
  }
})

test('every answer is true within its bound, in memory for a few rows', async () => {
  const { counters } = await run('tight', 3 * 1024, 'none')
  for (const [name, count] of Object.entries(counters)) {
    if (name !== 'cacheTooLarge') expect({ [name]: count > 0 }).toEqual({ [name]: true })
  }
})

test('every answer is true within its bound, in memory too small for some rows', async () => {
  const { counters } = await run('tiny', 700, 'none')
  expect(counters['cacheTooLarge']).toBeGreaterThan(0)
})

for (const canary of ['bound ignored', 'writes not followed', 'stale rows not counted'] as const) {
  test(`the model sees a fault: ${canary}`, async () => {
    expect(run(canary, 256 * 1024, canary)).rejects.toThrow()
  })
}
