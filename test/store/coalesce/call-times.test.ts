import { expect, test } from 'bun:test'
import { CALL_TIMES_KEPT, CALL_TIMES_MIN } from '../../../src/base/limits.ts'
import { CallTimes } from '../../../src/store/coalesce/call-times.ts'
import { SeededRandom } from '../../base/seeded-random.ts'

test('tells nothing from few calls', () => {
  const times = new CallTimes()
  for (let call = 1; call < CALL_TIMES_MIN; call++) times.add(5)
  expect(times.slowMs).toBe(Infinity)
})

test('is the 98th percentile of the recent calls, within a bucket', () => {
  const random = new SeededRandom('call times')
  const times = new CallTimes()
  for (let call = 0; call < 3000; call++) times.add(random.next() * 1000)
  const recent: number[] = []
  for (let call = 0; call < CALL_TIMES_KEPT; call++) {
    const ms = 1 + random.next() ** 4 * 200
    recent.push(ms)
    times.add(ms)
  }
  const exact = recent.toSorted((left, right) => left - right)[Math.floor(CALL_TIMES_KEPT * 0.98)]!
  expect(times.slowMs).toBeGreaterThan(exact / 1.1)
  expect(times.slowMs).toBeLessThan(exact * 1.1)
})

test('takes times of any size', () => {
  const times = new CallTimes()
  for (let call = 0; call < CALL_TIMES_KEPT; call++) times.add(call % 2 === 0 ? 0 : 1e9)
  expect(times.slowMs).toBeGreaterThan(1000)
})
