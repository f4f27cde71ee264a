/** What hedging makes of a store that is slow now and then, in simulated time. */
import { expect, test } from 'bun:test'
import type { CallReader, CallResult } from '../../../src/store/coalesce/call-reader.ts'
import { Coalescer } from '../../../src/store/coalesce/coalescer.ts'
import type { ReadBatch } from '../../../src/store/read-batch.ts'
import { SeededRandom } from '../../base/seeded-random.ts'
import { BusyClock } from './busy-clock.ts'
import { batchOf, keys, writeRow } from './driven-reader.ts'

const REQUESTS = 10_000
const REQUESTS_PER_MS = 2
const KEYS_EACH = 20
const SLOW_SHARE = 0.01
const SLOW_MS = 100

class UnevenReader implements CallReader {
  readonly callKeysMax = 100
  readonly #clock: BusyClock
  readonly #random: SeededRandom

  constructor(clock: BusyClock, random: SeededRandom) {
    this.#clock = clock
    this.#random = random
  }

  callMany(batch: ReadBatch): Promise<CallResult> {
    const ms = this.#random.chance(SLOW_SHARE) ? SLOW_MS : 4 + 3 * this.#random.next()
    return new Promise((resolve) => {
      this.#clock.setTimer(() => {
        for (let place = 0; place < batch.count; place++) writeRow(batch, place, 1)
        resolve('answered')
      }, ms)
    })
  }

  tableNumber(): number {
    return 1
  }

  layoutBytes(): Uint8Array {
    throw new Error('nobody asks')
  }
}

test('1 % of calls at 100 ms: p99 under 25 ms with at most 3 % more calls', async () => {
  const random = new SeededRandom('tail')
  const clock = new BusyClock()
  const coalescer = new Coalescer(new UnevenReader(clock, random), { clock })
  const tookMs: number[] = []
  /** Requests come at their own pace, however long those before them take. */
  const ask = async (request: number) => {
    if (request + 1 < REQUESTS) clock.setTimer(() => void ask(request + 1), 1 / REQUESTS_PER_MS)
    const askedMs = clock.now()
    await coalescer.readMany(batchOf(keys(request * KEYS_EACH, KEYS_EACH)), Infinity)
    tookMs.push(clock.now() - askedMs)
  }
  void ask(0)
  await clock.runOut()
  const { calls, hedges } = coalescer.counters
  expect(tookMs).toHaveLength(REQUESTS)
  expect(tookMs.toSorted((left, right) => left - right)[REQUESTS * 0.99]).toBeLessThan(25)
  expect(hedges / (calls - hedges)).toBeLessThanOrEqual(0.03)
})
