/** How fast a writer goes on when the store does not keep up, and when it gives up. */
import { beforeEach, describe, expect, test } from 'bun:test'
import { STORE_WRITE_PAUSE_MS_MAX, STORE_WRITE_RETRY_MS_MAX } from '../../../src/base/limits.ts'
import type { FailureKind } from '../../../src/store/dynamodb/dynamo-failure.ts'
import { DynamoFailure } from '../../../src/store/dynamodb/dynamo-failure.ts'
import { WritePace, forEachBounded } from '../../../src/store/dynamodb/write-pace.ts'

const failure = (kind: FailureKind, exception = ''): DynamoFailure =>
  new DynamoFailure(kind, exception, `${kind} ${exception}`, new Uint8Array(0))

describe('the pace of writes', () => {
  let nowMs: number
  let pauses: number[]
  let counters: { callsThrottled: number; callsUnanswered: number }
  let pace: WritePace

  beforeEach(() => {
    nowMs = 0
    pauses = []
    counters = { callsThrottled: 0, callsUnanswered: 0 }
    const pause = async (ms: number): Promise<void> => {
      pauses.push(ms)
      nowMs += ms
    }
    pace = new WritePace({ now: () => nowMs, pause, random: () => 0.5 }, 16, counters)
  })

  /** Fails so many times in this way, then is done. */
  const failing = (times: number, thrown: DynamoFailure) => {
    let calls = 0
    return async (): Promise<number> => {
      if (calls++ < times) throw thrown
      return 0
    }
  }

  test('halves with each call that is throttled, and grows again by one a round', async () => {
    await pace.run('writes', failing(2, failure('throttled')))
    expect(pace.limit).toBe(4)
    for (let call = 0; call < 6; call++) await pace.run('writes', async () => 0)
    expect(pace.limit).toBe(5)
    for (let call = 0; call < 400; call++) await pace.run('writes', async () => 0)
    expect(pace.limit).toBe(16)
    expect(counters.callsThrottled).toBe(2)
  })

  test('calls that were under way together count as one', async () => {
    const gate = Promise.withResolvers<void>()
    const together = Array.from({ length: 8 }, () => {
      let isFirst = true
      return pace.run('writes', async () => {
        if (!isFirst) return 0
        isFirst = false
        await gate.promise
        throw failure('throttled')
      })
    })
    nowMs = 1
    gate.resolve()
    await Promise.all(together)
    expect(counters.callsThrottled).toBe(8)
    expect(pace.limit).toBe(8)
  })

  test('pauses grow up to a bound', async () => {
    await pace.run('writes', failing(10, failure('unavailable')))
    expect(pauses.every((ms, place) => place === 0 || ms >= pauses[place - 1]!)).toBe(true)
    expect(pauses.at(-1)).toBe(0.75 * STORE_WRITE_PAUSE_MS_MAX)
    expect(counters.callsUnanswered).toBe(10)
  })

  test('a call is given up when nothing was answered for long, not while items get through', async () => {
    const ends = await pace.run('writes', failing(1000, failure('throttled'))).catch(Object)
    expect(ends).toMatchObject({ code: 'write_failed' })
    expect(nowMs).toBeGreaterThan(STORE_WRITE_RETRY_MS_MAX)
    let left = 100
    await pace.run('writes', async () => (nowMs % 3 < 1 ? left : --left))
    expect(left).toBe(0)
  })

  test('what is refused is not asked again, but for credentials that have ended', async () => {
    for (const thrown of [failure('refused', 'AccessDeniedException'), failure('condition')]) {
      expect(await pace.run('writes', failing(1, thrown)).catch((error: unknown) => error)).toBe(
        thrown,
      )
    }
    await pace.run('writes', failing(1, failure('refused', 'ExpiredTokenException')))
    const ended = failure('refused', 'ExpiredTokenException')
    expect(await pace.run('writes', failing(2, ended)).catch((error: unknown) => error)).toBe(ended)
  })

  test('no more are under way than it allows, and each gets its turn', async () => {
    let underWay = 0
    let most = 0
    let done = 0
    const one = async (): Promise<number> => {
      most = Math.max(most, ++underWay)
      await Promise.resolve()
      underWay--
      done++
      return 0
    }
    await Promise.all(Array.from({ length: 200 }, () => pace.run('writes', one)))
    expect([most, done]).toEqual([16, 200])
  })

  test('the first failure of many lets no further one begin', async () => {
    const begun: number[] = []
    const all = forEachBounded([1, 2, 3, 4, 5, 6], 2, async (item) => {
      begun.push(item)
      await Promise.resolve()
      if (item === 2) throw new Error('two')
    })
    await expect(all).rejects.toThrow('two')
    expect(begun.length).toBeLessThan(5)
  })
})
