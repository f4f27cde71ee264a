/**
 * Random requests, delays, failures, deadlines, callers that go and writes against a plain map, in
 * simulated time. What is read must be right, bounded, in time, and never older than a write before it.
 */
import { expect, test } from 'bun:test'
import { makeLayout } from '../../../src/row/layout.ts'
import type { CallReader, CallResult } from '../../../src/store/coalesce/call-reader.ts'
import { Coalescer } from '../../../src/store/coalesce/coalescer.ts'
import { FAILED, FOUND, MISSING, PENDING, ReadBatch } from '../../../src/store/read-batch.ts'
import { ENTRY_ROW, WriteBatchBuilder } from '../../../src/store/write-batch.ts'
import { SeededRandom, stepsOf } from '../../base/seeded-random.ts'
import { DrivenClock } from './driven-clock.ts'
import { batchOf, idAt, key, keysOf, versionAt, writeRow } from './driven-reader.ts'

const STEPS = 20_000
const IDS = 40
const TABLE = 'a'
const BOUNDS = { callsInFlightMax: 4, keysWaitingMax: 16, readMsMax: 300, callMsMax: 80 }
const CALL_KEYS_MAX = 8
const USE = {
  layout: makeLayout([], false),
  features: undefined,
  cacheMaxStalenessMs: 0,
  staleIfError: false,
}

/** For each id how often it was written; every third version is a delete. */
class VersionedMap {
  readonly current = new Map<number, number>()
  readonly acknowledged = new Map<number, number>()

  version(id: number): number {
    return this.current.get(id) ?? 0
  }
}

const isRow = (version: number): boolean => version > 0 && version % 3 !== 0

class FlakyReader implements CallReader {
  readonly callKeysMax = CALL_KEYS_MAX
  callsInFlight = 0
  readonly wrong: string[] = []
  /** Share of calls that are not answered; changes as the store goes down and comes back. */
  failing = 0
  readonly #random: SeededRandom
  readonly #clock: DrivenClock
  readonly #store: VersionedMap

  constructor(random: SeededRandom, clock: DrivenClock, store: VersionedMap) {
    this.#random = random
    this.#clock = clock
    this.#store = store
  }

  callMany(batch: ReadBatch, msMax: number, signal: AbortSignal): Promise<CallResult> {
    this.#check(batch)
    this.callsInFlight++
    let isOut = false
    const leave = () => {
      if (!isOut) this.callsInFlight--
      isOut = true
    }
    signal.addEventListener('abort', leave)
    return new Promise((resolve) => {
      const reply = (result: CallResult) => {
        leave()
        resolve(result)
      }
      // The store looks at some moment of the call, and its reply arrives at another.
      const ms = this.#random.below(this.#random.chance(0.1) ? 120 : 12)
      const lookMs = this.#random.below(ms + 1)
      if (ms > msMax) this.#clock.setTimer(() => reply('unavailable'), msMax)
      else if (this.#random.chance(this.failing)) {
        const refusal = this.#random.pick(['throttled', 'unavailable'] as const)
        this.#clock.setTimer(() => reply(refusal), ms)
      } else {
        const seen: number[] = []
        this.#clock.setTimer(() => seen.push(...this.#look(batch)), lookMs)
        this.#clock.setTimer(() => {
          this.#write(batch, seen)
          reply('answered')
        }, ms)
      }
    })
  }

  #check(batch: ReadBatch): void {
    const asked = keysOf(batch).map(({ table, id }) => `${table} ${id}`)
    if (new Set(asked).size !== asked.length) this.wrong.push(`twice in one call: ${asked}`)
    if (batch.count === 0 || batch.count > CALL_KEYS_MAX) this.wrong.push(`${batch.count} keys`)
    if (this.callsInFlight >= BOUNDS.callsInFlightMax) this.wrong.push('too many calls')
  }

  #look(batch: ReadBatch): number[] {
    return keysOf(batch).map(({ id }) => this.#store.version(id))
  }

  /** Some keys are left out now and then, and a few can't be read. */
  #write(batch: ReadBatch, seen: readonly number[]): void {
    const leftOut = this.#random.chance(0.2) ? 0.5 : 0
    for (const [place, version] of seen.entries()) {
      if (this.#random.chance(leftOut)) continue
      if (this.#random.chance(0.01)) batch.states[place] = FAILED
      else if (isRow(version)) writeRow(batch, place, version)
      else batch.states[place] = MISSING
    }
  }

  tableNumber(): number {
    return 1
  }

  layoutBytes(): Uint8Array {
    return new Uint8Array(0)
  }
}

/** One request from asking to the end, and what was wrong about it. */
class Request {
  readonly batch: ReadBatch
  readonly untilMs: number
  readonly askedMs: number
  readonly gone = new AbortController()
  isDone = false
  /** Copy of the batch's answer when it was done. */
  #answer = ''
  readonly #floors: readonly number[]

  constructor(random: SeededRandom, clock: DrivenClock, store: VersionedMap) {
    const ids = random.list(random.chance(0.1) ? 30 : 6, () => random.below(IDS))
    this.batch = batchOf(ids.map((id) => key(id, random.chance(0.05) ? 0 : 1)))
    this.askedMs = clock.now()
    this.untilMs = random.chance(0.1) ? Infinity : this.askedMs + random.below(100)
    this.#floors = ids.map((id) => store.acknowledged.get(id) ?? 0)
  }

  get endMs(): number {
    return this.untilMs === Infinity ? this.askedMs + BOUNDS.readMsMax : this.untilMs
  }

  end(nowMs: number, store: VersionedMap): string[] {
    this.isDone = true
    this.#answer = this.#copy()
    const late = nowMs > this.endMs ? [`${nowMs - this.endMs} ms late`] : []
    return [...late, ...this.#wrongPlaces(nowMs, store)]
  }

  /** What the batch says now, if that is not what it said when its promise resolved. */
  touchedAfter(): string[] {
    return this.#copy() === this.#answer ? [] : ['touched after its end']
  }

  #wrongPlaces(nowMs: number, store: VersionedMap): string[] {
    const isEarly = nowMs < this.endMs - 1 && !this.gone.signal.aborted
    return Array.from({ length: this.batch.count }, (_, place) => {
      const state = this.batch.states[place]!
      if (this.batch.tables[place] === 0) return state === MISSING ? '' : 'a table from nowhere'
      if (state === PENDING) return isEarly ? 'left pending before its time' : ''
      if (state === FAILED) return ''
      return this.#wrongVersion(place, state, store)
    }).filter((wrong) => wrong !== '')
  }

  #wrongVersion(place: number, state: number, store: VersionedMap): string {
    const floor = this.#floors[place]!
    const current = store.version(idAt(this.batch, place))
    if (state === FOUND) {
      const version = versionAt(this.batch, place)
      if (!isRow(version) || version > current) return `version ${version}, never written`
      return version < floor ? `version ${version} after ${floor} was acknowledged` : ''
    }
    for (let version = floor; version <= current; version++) if (!isRow(version)) return ''
    return `missing, though ${floor} to ${current} are rows`
  }

  #copy(): string {
    const { states, rowStarts, rows, rowsUsed, count } = this.batch
    return [states.subarray(0, count), rowStarts.subarray(0, count), rows.subarray(0, rowsUsed)]
      .map(String)
      .join('|')
  }
}

type Run = { readonly wrong: readonly string[]; readonly counters: Coalescer['counters'] }

async function run(random: SeededRandom, steps: number, isFollowing: boolean): Promise<Run> {
  const clock = new DrivenClock()
  const store = new VersionedMap()
  const reader = new FlakyReader(random, clock, store)
  const coalescer = new Coalescer(reader, { ...BOUNDS, clock, random: () => random.next() })
  const table = coalescer.tableNumber(TABLE, 'id:INT64', USE)
  const wrong: string[] = []
  const requests: Request[] = []

  const start = () => {
    const request = new Request(random, clock, store)
    requests.push(request)
    const end = () => void wrong.push(...request.end(clock.now(), store))
    const reading = coalescer.readMany(request.batch, request.untilMs, request.gone.signal)
    if (reading === undefined) end()
    else reading.then(end, (cause) => wrong.push(`rejected: ${cause}`))
  }

  const write = () => {
    const ids = [...new Set(random.list(4, () => random.below(IDS)))]
    for (const id of ids) store.current.set(id, store.version(id) + 1)
    const versions = ids.map((id) => [id, store.version(id)] as const)
    // It is acknowledged later: until then a read may see either.
    clock.setTimer(() => {
      const spec = { name: TABLE, keySignature: 'id:INT64', layout: new Uint8Array(0), ttlUs: 0 }
      if (isFollowing) coalescer.follow(spec, written(ids), new Uint8Array(ids.length))
      for (const [id, version] of versions) {
        store.acknowledged.set(id, Math.max(store.acknowledged.get(id) ?? 0, version))
      }
    }, random.below(4))
  }

  const written = (ids: readonly number[]) => {
    const builder = new WriteBatchBuilder()
    for (const id of ids) {
      const { keys, keysUsed, keyBytes } = batchOf([key(id, table)])
      builder.keys.set(keys.subarray(0, keysUsed), builder.reserveKey(keysUsed))
      builder.commit(ENTRY_ROW, 0, keyBytes[0]!, 0)
    }
    return builder.take(table, 1, 'direct')
  }

  for (let step = 0; step < steps; step++) {
    const choice = random.below(100)
    if (choice < 45) start()
    else if (choice < 60) write()
    else if (choice < 65) random.pick([...requests.slice(-8), undefined])?.gone.abort()
    else if (choice < 67) reader.failing = random.pick([0, 0, 0.2, 1])
    else await clock.pass(random.below(4))
    if (reader.callsInFlight !== coalescer.gauges.callsInFlight) wrong.push('a call is not counted')
    const waiting = coalescer.gauges.keysWaiting
    // Above what waits for a place there is only what rests, and that was under way before.
    const waitingMax = BOUNDS.keysWaitingMax + BOUNDS.callsInFlightMax * CALL_KEYS_MAX
    if (waiting < 0 || waiting > waitingMax) wrong.push(`${waiting} keys wait`)
  }
  await clock.pass(BOUNDS.readMsMax + 1)
  for (const request of requests) {
    wrong.push(...(request.isDone ? request.touchedAfter() : ['never ended']))
  }
  const { callsInFlight, keysWaiting } = coalescer.gauges
  if (callsInFlight !== 0 || keysWaiting !== 0) wrong.push(`left: ${callsInFlight}, ${keysWaiting}`)
  return { wrong, counters: coalescer.counters }
}

test('every answer is right, in time and bounded, whatever the store does', async () => {
  const random = new SeededRandom('coalescer')
  const { wrong, counters } = await run(random, stepsOf(STEPS), true)
  expect(wrong).toEqual([])
  if (stepsOf(STEPS) < STEPS) return
  // The run is worth something only if it has been everywhere.
  const { callsBroken, waitersRejected, ...reached } = counters
  expect(Object.entries(reached).filter(([, count]) => count === 0)).toEqual([])
  expect([callsBroken, waitersRejected]).toEqual([0, 0])
})

test('the same steps find a coalescer that does not follow writes', async () => {
  const { wrong } = await run(new SeededRandom('coalescer, deaf to writes'), STEPS, false)
  expect(wrong.some((it) => it.includes('acknowledged') || it.includes('missing'))).toBe(true)
})
