/** What coalescing saves where some keys are asked far more often than others, in simulated time. */
import { expect, test } from 'bun:test'
import { makeLayout } from '../../../src/row/layout.ts'
import type { CallReader, CallResult } from '../../../src/store/coalesce/call-reader.ts'
import { Coalescer } from '../../../src/store/coalesce/coalescer.ts'
import { FOUND } from '../../../src/store/read-batch.ts'
import type { ReadBatch } from '../../../src/store/read-batch.ts'
import { SeededRandom } from '../../base/seeded-random.ts'
import { BusyClock } from './busy-clock.ts'
import { batchOf, key, versionAt, writeRow } from './driven-reader.ts'

const CALLERS = 64
const REQUESTS_EACH = 40
const KEYS_EACH = 20
const IDS = 20_000
const CALL_MS = 5
/** What a request and its reply, and a call and its, take of the thread; and the way to the caller. */
const REQUEST_CPU_MS = 0.1
const CALL_CPU_MS = 0.05
const WAY_MS = 0.2

/** Answers each call after the same time. */
class SteadyReader implements CallReader {
  readonly callKeysMax = 100
  readonly #clock: BusyClock

  constructor(clock: BusyClock) {
    this.#clock = clock
  }

  callMany(batch: ReadBatch): Promise<CallResult> {
    this.#clock.spend(CALL_CPU_MS / 2)
    return new Promise((resolve) => {
      this.#clock.setTimer(() => {
        this.#clock.spend(CALL_CPU_MS / 2)
        for (let place = 0; place < batch.count; place++) writeRow(batch, place, 1)
        resolve('answered')
      }, CALL_MS)
    })
  }

  tableNumber(): number {
    return 1
  }

  layoutBytes(): Uint8Array {
    throw new Error('nobody asks')
  }
}

/** Draws ids of Zipf(1.0): the share of the id at rank r is 1/r of the first's. */
function zipfIds(random: SeededRandom): () => number {
  const sums = new Float64Array(IDS)
  for (let rank = 0, sum = 0; rank < IDS; rank++) sums[rank] = sum += 1 / (rank + 1)
  return () => {
    const drawn = random.next() * sums[IDS - 1]!
    let [low, high] = [0, IDS - 1]
    while (low < high) {
      const middle = (low + high) >> 1
      if (sums[middle]! < drawn) low = middle + 1
      else high = middle
    }
    return low
  }
}

test('64 requests at a time of 20 keys from Zipf(1.0): 30 % fewer keys, 40 % fewer calls', async () => {
  const random = new SeededRandom('zipf')
  const draw = zipfIds(random)
  const clock = new BusyClock()
  const coalescer = new Coalescer(new SteadyReader(clock), { clock, random: () => random.next() })
  coalescer.tableNumber('a', 'id:INT64', {
    layout: makeLayout([], false),
    features: undefined,
    cacheMaxStalenessMs: 0,
    staleIfError: false,
  })
  /** Each request by itself: its distinct keys, in one call. */
  let keysAlone = 0
  let wrong = 0
  let callersDone = 0

  const ask = async (requestsLeft: number) => {
    const ids = new Set<number>()
    for (let drawn = 0; drawn < KEYS_EACH; drawn++) ids.add(draw())
    keysAlone += ids.size
    const batch = batchOf([...ids].map((id) => key(id)))
    clock.spend(REQUEST_CPU_MS / 2)
    await coalescer.readMany(batch, Infinity)
    clock.spend(REQUEST_CPU_MS / 2)
    for (let place = 0; place < batch.count; place++) {
      if (batch.states[place] !== FOUND || versionAt(batch, place) !== 1) wrong++
    }
    if (requestsLeft > 1) clock.setTimer(() => void ask(requestsLeft - 1), WAY_MS)
    else callersDone++
  }

  // They don't begin together: what they share, they come to share by themselves.
  for (let caller = 0; caller < CALLERS; caller++) {
    clock.setTimer(() => void ask(REQUESTS_EACH), random.next() * CALL_MS)
  }
  await clock.runOut()

  const { callKeys, calls } = coalescer.counters
  expect([wrong, callersDone]).toEqual([0, CALLERS])
  expect(callKeys / keysAlone).toBeLessThan(0.7)
  expect(calls / (CALLERS * REQUESTS_EACH)).toBeLessThan(0.6)
})
