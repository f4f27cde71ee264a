/** What the coalescer promises, one by one: calls are answered and time is moved by hand. */
import { beforeEach, describe, expect, test } from 'bun:test'
import { getEventListeners } from 'node:events'
import {
  CALL_TIMES_MIN,
  HEDGE_MS_MIN,
  READ_BYTES_MAX,
  RETRY_MS_FIRST,
  RETRY_MS_MAX,
  RETRY_SOON_MS,
  RETRY_TOKENS_MAX,
} from '../../../src/base/limits.ts'
import { makeLayout } from '../../../src/row/layout.ts'
import type { CallReader } from '../../../src/store/coalesce/call-reader.ts'
import { Coalescer } from '../../../src/store/coalesce/coalescer.ts'
import { FAILED, FOUND, MISSING, PENDING } from '../../../src/store/read-batch.ts'
import type { ReadBatch } from '../../../src/store/read-batch.ts'
import type { TableSpec, TableUse } from '../../../src/store/store.ts'
import { ENTRY_ROW, WriteBatchBuilder } from '../../../src/store/write-batch.ts'
import { DrivenClock, promisesKept } from './driven-clock.ts'
import type { TestKey } from './driven-reader.ts'
import { DrivenReader, batchOf, key, keys, versionAt } from './driven-reader.ts'

const CALL_KEYS_MAX = 4
const BOUNDS = { callsInFlightMax: 2, keysWaitingMax: 12, readMsMax: 500, callMsMax: 200 }
const SLOW_MS = 50

let clock: DrivenClock
let reader: DrivenReader
let coalescer: Coalescer
/** What the next draw of the random number is: the share of a rest that is taken. */
let drawn: number

beforeEach(() => open({}))

function open(bounds: Partial<typeof BOUNDS>): void {
  clock = new DrivenClock()
  reader = new DrivenReader(CALL_KEYS_MAX)
  drawn = 0.5
  coalescer = new Coalescer(reader, { ...BOUNDS, ...bounds, clock, random: () => drawn })
}

type Asked = {
  readonly batch: ReadBatch
  readonly done: () => boolean
  readonly end: Promise<void>
}

/** Asks, and says whether the promise has resolved; a batch that needs no waiting is done. */
function ask(asked: readonly TestKey[], msMax = 400, gone?: AbortSignal): Asked {
  const batch = batchOf(asked)
  const reading = coalescer.readMany(batch, clock.now() + msMax, gone)
  let isDone = reading === undefined
  const end = (reading ?? Promise.resolve()).then(() => void (isDone = true))
  end.catch(() => {})
  return { batch, done: () => isDone, end }
}

const states = ({ batch }: Asked): number[] => [...batch.states.subarray(0, batch.count)]
const times = (count: number, state: number): number[] => Array.from({ length: count }, () => state)

const USE: TableUse = {
  layout: makeLayout([], false),
  features: undefined,
  cacheMaxStalenessMs: 0,
  staleIfError: false,
}
const specOf = (name: string): TableSpec => ({
  name,
  keySignature: 'id:INT64',
  layout: new Uint8Array(0),
  ttlUs: 0,
})

function written(ids: readonly number[]): Parameters<Coalescer['follow']>[1] {
  const builder = new WriteBatchBuilder()
  for (const { batch } of ids.map((id) => ({ batch: batchOf([key(id)]) }))) {
    builder.keys.set(batch.keys.subarray(0, batch.keysUsed), builder.reserveKey(batch.keysUsed))
    builder.commit(ENTRY_ROW, 0, batch.keyBytes[0]!, 0)
  }
  return builder.take(1, 1, 'direct')
}

const follow = (name: string, ids: readonly number[]): void =>
  coalescer.follow(specOf(name), written(ids), new Uint8Array(ids.length))

describe('packing', () => {
  test('keys of one request over all tables go in one call, at the end of the turn', async () => {
    const asked = ask([key(1), key(1, 2), key(5, 3)])
    expect(reader.calls).toHaveLength(0)
    await clock.endTurn()
    const call = reader.one()
    expect(call.keys).toEqual([key(1), key(1, 2), key(5, 3)])
    expect(call.msMax).toBe(BOUNDS.callMsMax)
    call.answer(3)
    await asked.end
    expect(states(asked)).toEqual(times(3, FOUND))
    expect([0, 1, 2].map((place) => versionAt(asked.batch, place))).toEqual([3, 3, 3])
  })

  test('requests that arrive together share a call, and each gets its own keys', async () => {
    const left = ask([key(1), key(2)])
    const right = ask([key(1001), key(3)])
    await clock.endTurn()
    const call = reader.one()
    expect(call.ids).toEqual([1, 2, 1001, 3])
    call.answer()
    await Promise.all([left.end, right.end])
    expect(states(left)).toEqual([FOUND, FOUND])
    expect(states(right)).toEqual([MISSING, FOUND])
    expect(versionAt(right.batch, 1)).toBe(1)
  })

  test('a full call goes at once, what is left at the end of the turn', async () => {
    const asked = ask(keys(1, 6))
    expect(reader.one().ids).toEqual([1, 2, 3, 4])
    await clock.endTurn()
    expect(reader.one().ids).toEqual([5, 6])
    expect(asked.done()).toBe(false)
    expect(coalescer.counters).toMatchObject({ keysAsked: 6, calls: 2, callKeys: 6 })
  })

  test('the window stays open only while the calls in flight are at their bound', async () => {
    ask(keys(1, 8))
    const [first] = reader.calls.splice(0)
    ask([key(20)])
    await clock.endTurn()
    ask([key(21)])
    await clock.endTurn()
    expect(reader.calls).toHaveLength(0)
    expect(coalescer.gauges).toEqual({ callsInFlight: 2, keysWaiting: 2 })
    first!.answer()
    await promisesKept()
    expect(reader.one().ids).toEqual([20, 21])
    expect(coalescer.gauges).toEqual({ callsInFlight: 2, keysWaiting: 0 })
  })

  test('full calls that wait for a place go before the open one, in their order', async () => {
    ask(keys(1, 8))
    const flying = reader.calls.splice(0)
    ask(keys(20, 9))
    await clock.endTurn()
    for (const call of flying) call.answer()
    await promisesKept()
    const next = reader.calls.splice(0)
    expect(next.map(({ ids }) => ids[0])).toEqual([20, 24])
    next[0]!.answer()
    await promisesKept()
    expect(reader.one().ids).toEqual([28])
  })

  test('a table never stands in one call under two of its numbers', async () => {
    const whole = coalescer.tableNumber('a', '', USE)
    const part = coalescer.tableNumber('a', '', { ...USE, features: Uint32Array.of(1) })
    const other = coalescer.tableNumber('b', '', USE)
    expect(coalescer.tableNumber('a', '', USE)).toBe(whole)
    const asked = ask([key(1, whole), key(1, part), key(1, other), key(2, part), key(2, whole)])
    await clock.endTurn()
    const calls = reader.calls.splice(0)
    expect(calls.map((call) => call.keys)).toEqual([
      [key(1, whole), key(1, other), key(2, whole)],
      [key(1, part), key(2, part)],
    ])
    for (const call of calls) call.answer()
    await asked.end
    expect(states(asked)).toEqual(times(5, FOUND))
  })
})

describe('what needs no call', () => {
  test('a key of no table is missing at once, and a batch of such needs no waiting', async () => {
    expect(coalescer.readMany(batchOf([key(1, 0)]), Infinity)).toBeUndefined()
    expect(states(ask([key(1, 0)]))).toEqual([MISSING])
    const mixed = ask([key(1, 0), key(2)])
    expect(states(mixed)).toEqual([MISSING, PENDING])
    await clock.endTurn()
    expect(reader.one().ids).toEqual([2])
  })

  test('an empty batch needs no waiting', () => {
    expect(coalescer.readMany(batchOf([]), Infinity)).toBeUndefined()
  })

  test('a deadline that has passed, or a caller that has gone, asks nothing', async () => {
    expect(states(ask([key(1), key(2, 0)], 0))).toEqual([PENDING, MISSING])
    expect(states(ask([key(1)], 100, AbortSignal.abort()))).toEqual([PENDING])
    await clock.endTurn()
    expect(reader.calls).toHaveLength(0)
    expect(coalescer.counters).toMatchObject({ waitersLate: 1, waitersGone: 1 })
  })

  test('layouts are the inner reader’s', () => {
    expect(coalescer.layoutBytes(9)).toEqual(Uint8Array.of(9))
  })
})

describe('single flight', () => {
  test('equal keys are asked once: of the open call, under way, and twice in one request', async () => {
    const first = ask([key(1), key(2), key(1)])
    const second = ask([key(2)])
    await clock.endTurn()
    const third = ask([key(1)])
    await clock.endTurn()
    const call = reader.one()
    expect(call.ids).toEqual([1, 2])
    call.answer(4)
    await Promise.all([first.end, second.end, third.end])
    expect([first, second, third].map(states)).toEqual([times(3, FOUND), [FOUND], [FOUND]])
    expect([0, 1, 2].map((place) => versionAt(first.batch, place))).toEqual([4, 4, 4])
    expect(coalescer.counters).toMatchObject({ keysAsked: 5, keysJoined: 3, callKeys: 2 })
  })

  test('the same key bytes in another table are another key', async () => {
    ask([key(1, 1)])
    ask([key(1, 2)])
    await clock.endTurn()
    expect(reader.one().keys).toEqual([key(1, 1), key(1, 2)])
  })

  test('an answered key is asked again', async () => {
    ask([key(1)])
    await clock.endTurn()
    reader.one().answer()
    await promisesKept()
    ask([key(1)])
    await clock.endTurn()
    expect(reader.one().ids).toEqual([1])
  })

  test('a row says when its call was sent, not when its waiter came', async () => {
    const first = ask([key(1)])
    await clock.endTurn()
    const sentMs = clock.now()
    await clock.pass(10)
    const second = ask([key(1)])
    reader.one().answer()
    await Promise.all([first.end, second.end])
    expect([first.batch.asOfMs[0], second.batch.asOfMs[0]]).toEqual([sentMs, sentMs])
  })
})

describe('bounds', () => {
  test('keys past those that may wait fail at once, and others go on', async () => {
    ask(keys(1, 8))
    const flying = reader.calls.splice(0)
    const waiting = ask(keys(20, 10))
    const shed = ask([key(1), ...keys(40, 4)])
    expect(states(shed)).toEqual([PENDING, PENDING, PENDING, FAILED, FAILED])
    expect(shed.done()).toBe(false)
    const refused = ask([key(50)])
    expect([states(refused), refused.done()]).toEqual([[FAILED], true])
    expect(coalescer.counters.shed).toBe(3)
    expect(coalescer.gauges.keysWaiting).toBe(BOUNDS.keysWaitingMax)
    for (const call of flying) call.answer()
    for (let round = 0; round < 3; round++) {
      await clock.endTurn()
      for (const call of reader.calls.splice(0)) call.answer()
    }
    await Promise.all([waiting.end, shed.end])
    expect(states(waiting)).toEqual(times(10, FOUND))
    expect(states(shed)).toEqual([FOUND, FOUND, FOUND, FAILED, FAILED])
    expect(coalescer.gauges).toEqual({ callsInFlight: 0, keysWaiting: 0 })
  })

  test('rows too large for one request reject it alone', async () => {
    const large = batchOf([key(1), key(2), key(3)])
    large.rowsUsed = READ_BYTES_MAX
    const rejected = coalescer.readMany(large, clock.now() + 100)!
    const other = ask([key(1), key(2)])
    await clock.endTurn()
    reader.one().answer()
    expect(rejected).rejects.toMatchObject({ code: 'too_large' })
    await other.end
    expect(states(other)).toEqual([FOUND, FOUND])
    expect(coalescer.counters.waitersRejected).toBe(1)
    expect(coalescer.gauges).toEqual({ callsInFlight: 0, keysWaiting: 0 })
    expect(clock.timers).toBe(0)
  })
})

describe('deadlines', () => {
  test('a waiter leaves at its own, with what has arrived', async () => {
    const short = ask(keys(1, 5), 20)
    const long = ask([key(5)], 60)
    await clock.endTurn()
    const [first, second] = reader.calls.splice(0)
    first!.answer()
    await clock.pass(18)
    expect(short.done()).toBe(false)
    await clock.pass(2)
    expect(short.done()).toBe(true)
    expect(states(short)).toEqual([...times(4, FOUND), PENDING])
    expect([long.done(), second!.signal.aborted]).toEqual([false, false])
    second!.answer()
    await long.end
    expect(states(long)).toEqual([FOUND])
    expect(coalescer.counters.waitersLate).toBe(1)
  })

  test('a later reply never touches the batch of a waiter that has left', async () => {
    const left = ask([key(1)], 20)
    ask([key(1)], 60)
    await clock.pass(30)
    left.batch.reset()
    left.batch.rows.fill(0xee)
    reader.one().answer()
    await promisesKept()
    expect(left.batch.rowsUsed).toBe(0)
    expect(left.batch.rows.every((byte) => byte === 0xee)).toBe(true)
    expect(left.batch.states[0]).toBe(PENDING)
  })

  test('a waiter leaves at its deadline while a retry rests, and the retry is not sent', async () => {
    drawn = 0.999
    const asked = ask([key(1)], 8)
    await clock.endTurn()
    reader.one().resolve('throttled')
    await clock.pass(8)
    expect([asked.done(), states(asked)]).toEqual([true, [PENDING]])
    await clock.pass(100)
    expect(reader.calls).toHaveLength(0)
    expect(coalescer.gauges).toEqual({ callsInFlight: 0, keysWaiting: 0 })
  })

  test('a waiter that leaves from the open window or the queue takes its keys with it', async () => {
    ask(keys(1, 8))
    reader.calls.splice(0)
    const queued = ask(keys(20, 4), 10)
    const open = ask([key(30)], 10)
    const kept = ask([key(31)], 300)
    await clock.pass(11)
    expect([queued.done(), open.done(), kept.done()]).toEqual([true, true, false])
    // The open call still has its place for the key that nobody waits for.
    expect(coalescer.gauges.keysWaiting).toBe(2)
    await clock.pass(400)
    expect(kept.done()).toBe(true)
    expect(coalescer.gauges).toEqual({ callsInFlight: 0, keysWaiting: 0 })
    expect(reader.calls).toHaveLength(0)
  })

  test('keys whose waiters have left are not sent', async () => {
    ask(keys(1, 8))
    const [flying] = reader.calls.splice(0)
    ask([key(30)], 10)
    const kept = ask([key(31)])
    await clock.pass(11)
    flying!.answer()
    await promisesKept()
    const call = reader.one()
    expect(call.ids).toEqual([31])
    const joined = ask([key(31)])
    call.answer()
    await Promise.all([kept.end, joined.end])
    expect(coalescer.counters.keysJoined).toBe(1)
  })

  test('a read without a deadline has the bound of the settings', async () => {
    const batch = batchOf([key(1)])
    let isDone = false
    void coalescer.readMany(batch, Infinity)!.then(() => (isDone = true))
    await clock.pass(BOUNDS.readMsMax - 2)
    expect(isDone).toBe(false)
    await clock.pass(2)
    expect(isDone).toBe(true)
  })

  test('one timer is set, whatever waits', async () => {
    const asked = [30, 10, 20].map((ms, at) => ask([key(at)], ms))
    await clock.endTurn()
    expect(clock.timers).toBe(1)
    await clock.pass(10)
    expect(asked.map(({ done }) => done())).toEqual([false, true, false])
    reader.one().answer()
    await promisesKept()
    expect(asked.every(({ done }) => done())).toBe(true)
    expect(clock.timers).toBe(0)
  })
})

describe('a caller that goes away', () => {
  test('leaves at once, and a call that serves nobody else is aborted', async () => {
    const gone = new AbortController()
    const asked = ask([key(1)], 400, gone.signal)
    await clock.endTurn()
    const call = reader.one()
    expect(getEventListeners(gone.signal, 'abort')).toHaveLength(1)
    gone.abort()
    await asked.end
    expect(call.signal.aborted).toBe(true)
    expect(coalescer.gauges).toEqual({ callsInFlight: 0, keysWaiting: 0 })
    call.resolve('unavailable')
    await clock.pass(400)
    expect(reader.calls).toHaveLength(0)
    expect(coalescer.counters).toMatchObject({ waitersGone: 1, callsAbandoned: 1, waitersLate: 0 })
  })

  test('frees its place for calls that wait', async () => {
    const gone = new AbortController()
    ask(keys(1, 8), 400, gone.signal)
    reader.calls.splice(0)
    ask([key(20)])
    await clock.endTurn()
    expect(reader.calls).toHaveLength(0)
    gone.abort()
    expect(reader.one().ids).toEqual([20])
  })

  test('leaves flights that others share to go on', async () => {
    const gone = new AbortController()
    ask([key(1), key(2)], 400, gone.signal)
    const other = ask([key(2)])
    await clock.endTurn()
    gone.abort()
    const call = reader.one()
    expect(call.signal.aborted).toBe(false)
    const joined = ask([key(1)])
    call.answer()
    await Promise.all([other.end, joined.end])
    expect([states(other), states(joined)]).toEqual([[FOUND], [FOUND]])
  })

  test('is listened to no longer once its answer is there', async () => {
    const gone = new AbortController()
    const asked = ask([key(1)], 400, gone.signal)
    await clock.endTurn()
    reader.one().answer()
    await asked.end
    expect(getEventListeners(gone.signal, 'abort')).toHaveLength(0)
    gone.abort()
    expect(coalescer.counters.waitersGone).toBe(0)
  })

  test('keys that nobody waits for are not retried', async () => {
    const gone = new AbortController()
    ask([key(1)], 400, gone.signal)
    const other = ask([key(2)])
    await clock.endTurn()
    gone.abort()
    reader.one().resolve('unavailable')
    await clock.pass(RETRY_MS_FIRST)
    const retry = reader.one()
    expect(retry.ids).toEqual([2])
    retry.answer()
    await other.end
  })
})

describe('retries', () => {
  test('keys that the store left out are asked again soon, and this costs no retry', async () => {
    const asked = ask(keys(1, 4))
    for (let left = 4; left > 0; left--) {
      // Each time it waits longer: what gives a key a call must not be asked without end.
      await clock.pass(RETRY_SOON_MS * 2 ** Math.max(0, 3 - left))
      const call = reader.one()
      expect(call.ids).toEqual(keys(5 - left, left).map(({ id }) => id))
      call.answer(left, [call.ids[0]!])
      await promisesKept()
    }
    await asked.end
    expect([0, 1, 2, 3].map((place) => versionAt(asked.batch, place))).toEqual([4, 3, 2, 1])
    expect(coalescer.counters).toMatchObject({ callsPartial: 3, callsRetried: 3, calls: 4 })
    expect(await retriesUntilRefused()).toBe(RETRY_TOKENS_MAX)
  })

  /** How many retries in a row the store is asked for when no call is answered. */
  async function retriesUntilRefused(): Promise<number> {
    const before = coalescer.counters.callsRetried
    while (coalescer.counters.retriesRefused === 0) {
      ask([key(1)], 1e6)
      await clock.endTurn()
      while (coalescer.gauges.callsInFlight > 0) {
        for (const call of reader.calls.splice(0)) call.resolve('unavailable')
        await clock.pass(RETRY_MS_MAX)
      }
    }
    return coalescer.counters.callsRetried - before
  }

  test('rest for a random share of a time that doubles, up to a bound', async () => {
    const asked = ask([key(1)], 5000)
    await clock.endTurn()
    for (let tries = 0; tries < 7; tries++) {
      const restMs = Math.min(RETRY_MS_FIRST * 2 ** tries, RETRY_MS_MAX) / 2
      reader.one().resolve(tries % 2 === 0 ? 'throttled' : 'unavailable')
      await clock.pass(restMs - 1)
      expect(reader.calls).toHaveLength(0)
      expect(coalescer.gauges).toEqual({ callsInFlight: 0, keysWaiting: 1 })
      await clock.pass(1)
    }
    reader.one().answer()
    await asked.end
    expect(coalescer.counters).toMatchObject({ callsThrottled: 4, callsUnavailable: 3 })
  })

  test('one that nobody waits for in the end costs none', async () => {
    const gone = new AbortController()
    ask([key(1)], 400, gone.signal)
    await clock.endTurn()
    reader.one().resolve('throttled')
    await promisesKept()
    gone.abort()
    await clock.pass(RETRY_MS_FIRST)
    expect(reader.calls).toHaveLength(0)
    expect(await retriesUntilRefused()).toBe(RETRY_TOKENS_MAX)
  })

  test('a key that rests may be joined', async () => {
    ask([key(1)])
    await clock.endTurn()
    reader.one().resolve('throttled')
    await promisesKept()
    const joined = ask([key(1)])
    await clock.pass(RETRY_MS_FIRST)
    const call = reader.one()
    expect(call.ids).toEqual([1])
    call.answer()
    await joined.end
  })

  test('a store that is down is not hammered, and its failure reaches every waiter', async () => {
    await retriesUntilRefused()
    const before = coalescer.counters.failures
    const [left, right] = [ask(keys(1, 2)), ask(keys(2, 2))]
    await clock.endTurn()
    reader.one().resolve('unavailable')
    await Promise.all([left.end, right.end])
    expect([states(left), states(right)]).toEqual([
      [FAILED, FAILED],
      [FAILED, FAILED],
    ])
    expect(coalescer.counters.failures - before).toBe(3)
  })

  test('of a store that is down are a tenth of its calls', async () => {
    await retriesUntilRefused()
    const before = { ...coalescer.counters }
    for (let round = 0; round < 100; round++) {
      ask([key(round)])
      await clock.endTurn()
      while (coalescer.gauges.callsInFlight > 0) {
        reader.one().resolve('unavailable')
        await clock.pass(RETRY_MS_MAX)
      }
    }
    const retried = coalescer.counters.callsRetried - before.callsRetried
    expect(retried).toBeGreaterThanOrEqual(9)
    expect(retried).toBeLessThanOrEqual(10)
  })

  test('an answer without any key is paid like a refusal', async () => {
    const asked = ask([key(1)], 1e6)
    await clock.endTurn()
    reader.one().answer(1, [])
    await clock.pass(RETRY_MS_FIRST)
    expect(coalescer.counters.callsPartial).toBe(0)
    expect(await retriesUntilRefused()).toBe(RETRY_TOKENS_MAX - 1)
    expect(states(asked)).toEqual([FAILED])
  })

  test('what trying again will not help fails at once', async () => {
    const asked = ask(keys(1, 2))
    await clock.endTurn()
    const call = reader.one()
    call.batch.states[1] = FAILED
    call.answer(1, [1])
    await asked.end
    expect(states(asked)).toEqual([FOUND, FAILED])
    expect(coalescer.counters).toMatchObject({ failures: 1, callsRetried: 0 })
  })

  test('a reader that breaks its word is a call without an answer', async () => {
    class BrokenReader extends DrivenReader implements CallReader {
      override callMany(): Promise<never> {
        return Promise.reject(new Error('broken'))
      }
    }
    const broken = new Coalescer(new BrokenReader(1), { ...BOUNDS, clock, random: () => 0 })
    const batch = batchOf([key(1)])
    const reading = broken.readMany(batch, Infinity)
    await clock.pass(BOUNDS.readMsMax)
    await reading
    expect(batch.states[0]).toBe(FAILED)
    expect(broken.counters.callsBroken).toBe(RETRY_TOKENS_MAX + 1)
  })
})

describe('hedges', () => {
  beforeEach(async () => {
    open({ callsInFlightMax: 4 })
    for (let call = 0; call < CALL_TIMES_MIN + 20; call++)
      await answerAfter(call % 10 === 0 ? 9 : 4)
  })

  async function answerAfter(ms: number): Promise<void> {
    const asked = ask([key(1)])
    await clock.pass(ms)
    for (const call of reader.calls.splice(0)) call.answer()
    await asked.end
  }

  test('a slow first attempt is sent again, and the first answer wins', async () => {
    const asked = ask(keys(1, 3))
    await clock.pass(8)
    const first = reader.one()
    await clock.pass(3)
    const second = reader.one()
    expect(second.keys).toEqual(first.keys)
    expect(coalescer.gauges.callsInFlight).toBe(2)
    second.answer(2)
    await asked.end
    expect(first.signal.aborted).toBe(true)
    expect(coalescer.gauges.callsInFlight).toBe(0)
    first.answer(1)
    await promisesKept()
    expect([0, 1, 2].map((place) => versionAt(asked.batch, place))).toEqual([2, 2, 2])
    expect(coalescer.counters).toMatchObject({ hedges: 1, hedgesWon: 1 })
  })

  test('a first attempt that answers after all aborts its hedge', async () => {
    const asked = ask([key(1)])
    await clock.pass(12)
    const [first, second] = reader.calls.splice(0)
    first!.answer(1)
    await asked.end
    expect(second!.signal.aborted).toBe(true)
    expect(coalescer.counters).toMatchObject({ hedges: 1, hedgesWon: 0 })
    expect(coalescer.gauges.callsInFlight).toBe(0)
  })

  test('one that fails leaves the answer to the other; when both fail they are retried once', async () => {
    const asked = ask([key(1)])
    await clock.pass(12)
    const [first, second] = reader.calls.splice(0)
    first!.resolve('unavailable')
    await clock.pass(RETRY_MS_FIRST)
    expect([asked.done(), reader.calls.length]).toEqual([false, 0])
    second!.resolve('throttled')
    await clock.pass(RETRY_MS_FIRST)
    reader.one().answer()
    await asked.end
    expect(coalescer.counters).toMatchObject({ hedges: 1, callsRetried: 1 })
  })

  test('a retry is never hedged', async () => {
    ask([key(1)])
    await clock.endTurn()
    reader.one().resolve('throttled')
    await clock.pass(RETRY_MS_FIRST)
    reader.one()
    await clock.pass(SLOW_MS)
    expect(reader.calls).toHaveLength(0)
    expect(coalescer.counters.hedges).toBe(0)
  })

  test('none is sent while the calls in flight are at their bound', async () => {
    ask(keys(1, 16))
    expect(reader.calls.splice(0)).toHaveLength(4)
    await clock.pass(SLOW_MS)
    expect(reader.calls).toHaveLength(0)
    expect(coalescer.counters.hedgesRefused).toBe(4)
  })

  test('are at most three in a hundred calls', async () => {
    const { calls, hedges } = coalescer.counters
    for (let call = 0; call < 300; call++) await answerAfter(SLOW_MS + call)
    const sent = coalescer.counters.calls - coalescer.counters.hedges
    expect(coalescer.counters.hedges).toBeGreaterThan(5)
    expect(coalescer.counters.hedges).toBeLessThanOrEqual(0.03 * sent)
    expect([calls, hedges]).toEqual([CALL_TIMES_MIN + 20, 0])
  })

  test('none is sent for a call younger than the least, however fast the others are', async () => {
    open({})
    for (let call = 0; call < CALL_TIMES_MIN + 20; call++) await answerAfter(0)
    ask([key(1)])
    await clock.pass(HEDGE_MS_MIN - 1)
    reader.one()
    await clock.pass(1)
    expect(reader.calls).toHaveLength(1)
  })

  test('a hedge ends with the last waiter of its call', async () => {
    const gone = new AbortController()
    ask([key(1)], 400, gone.signal)
    await clock.pass(12)
    const calls = reader.calls.splice(0)
    gone.abort()
    expect(calls.map(({ signal }) => signal.aborted)).toEqual([true, true])
    expect(coalescer.gauges.callsInFlight).toBe(0)
  })
})

describe('writes', () => {
  test('a read after a write never joins a flight from before it', async () => {
    const table = coalescer.tableNumber('a', '', USE)
    const before = ask([key(1, table), key(2, table)])
    await clock.endTurn()
    const old = reader.one()
    follow('a', [1])
    const after = ask([key(1, table), key(2, table)])
    await clock.endTurn()
    const fresh = reader.one()
    expect(fresh.ids).toEqual([1])
    fresh.answer(2)
    old.answer(1)
    await Promise.all([before.end, after.end])
    expect([0, 1].map((place) => versionAt(before.batch, place))).toEqual([1, 1])
    expect([0, 1].map((place) => versionAt(after.batch, place))).toEqual([2, 1])
    expect(coalescer.counters.flightsSecluded).toBe(1)
  })

  test('later reads join the one that began after the write', async () => {
    const table = coalescer.tableNumber('a', '', USE)
    ask([key(1, table)])
    await clock.endTurn()
    follow('a', [1])
    ask([key(1, table)])
    await clock.endTurn()
    const joined = ask([key(1, table)])
    await clock.endTurn()
    const [, fresh, ...others] = reader.calls.splice(0)
    expect(others).toEqual([])
    fresh!.answer(2)
    await joined.end
    expect(versionAt(joined.batch, 0)).toBe(2)
  })

  test('keys that were not sent yet may be joined', async () => {
    const table = coalescer.tableNumber('a', '', USE)
    ask([key(1, table)])
    follow('a', [1])
    ask([key(1, table)])
    await clock.endTurn()
    expect(reader.one().ids).toEqual([1])
    expect(coalescer.counters).toMatchObject({ flightsSecluded: 0, keysJoined: 1 })
  })

  test('a flight from before a write that is retried is still not joined', async () => {
    const table = coalescer.tableNumber('a', '', USE)
    const before = ask([key(1, table)])
    await clock.endTurn()
    follow('a', [1])
    reader.one().resolve('throttled')
    await promisesKept()
    const after = ask([key(1, table)])
    await clock.pass(RETRY_MS_FIRST)
    const calls = reader.calls.splice(0)
    expect(calls.map(({ ids }) => ids)).toEqual([[1], [1]])
    for (const call of calls) call.answer()
    await Promise.all([before.end, after.end])
  })

  test('every number of the table is meant, and no other table', async () => {
    const whole = coalescer.tableNumber('a', '', USE)
    const part = coalescer.tableNumber('a', '', { ...USE, features: Uint32Array.of(1) })
    const other = coalescer.tableNumber('b', '', USE)
    ask([key(1, whole), key(1, part), key(1, other)])
    await clock.endTurn()
    reader.calls.splice(0)
    follow('a', [1])
    follow('nobody reads', [1])
    expect(coalescer.counters.flightsSecluded).toBe(2)
  })

  test('keys that start at no word’s place are found too', async () => {
    const table = coalescer.tableNumber('a', '', USE)
    ask([key(1, table)])
    await clock.endTurn()
    const batch = written([1])
    const moved = new Uint8Array(batch.keys.length + 1)
    moved.set(batch.keys, 1)
    coalescer.follow(specOf('a'), { ...batch, keys: moved.subarray(1) }, new Uint8Array(1))
    expect(coalescer.counters.flightsSecluded).toBe(1)
  })
})

describe('closing', () => {
  test('fails every waiter, aborts calls and leaves nothing set', async () => {
    const flying = ask(keys(1, 8))
    const calls = reader.calls.splice(0)
    const waiting = ask([key(20), key(1)])
    await clock.endTurn()
    coalescer.close()
    await Promise.all([flying.end, waiting.end])
    expect([states(flying), states(waiting)]).toEqual([times(8, FAILED), times(2, FAILED)])
    expect(calls.every(({ signal }) => signal.aborted)).toBe(true)
    expect([clock.timers, coalescer.gauges]).toEqual([0, { callsInFlight: 0, keysWaiting: 0 }])
    const late = ask([key(1), key(2, 0)])
    expect([late.done(), states(late)]).toEqual([true, [FAILED, MISSING]])
  })

  test('leaves what has arrived', async () => {
    const asked = ask(keys(1, 5))
    await clock.endTurn()
    reader.calls.splice(0)[0]!.answer()
    await promisesKept()
    coalescer.close()
    await asked.end
    expect(states(asked)).toEqual([...times(4, FOUND), FAILED])
  })
})
