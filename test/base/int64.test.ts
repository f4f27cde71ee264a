import { expect, test } from 'bun:test'
import { highHalf, int64Of, isInt64, lowHalf, narrowInt64 } from '../../src/base/int64.ts'
import { compareUtf8 } from '../../src/base/utf8.ts'
import { SeededRandom, stepsOf } from './seeded-random.ts'

test('halves of an int64 are the words of its bytes, whether number or bigint', () => {
  const random = new SeededRandom('int64 halves')
  const edges = [
    0n,
    -1n,
    2n ** 53n,
    -(2n ** 53n),
    2n ** 63n - 1n,
    -(2n ** 63n),
    2n ** 32n,
    -(2n ** 32n),
  ]
  const values = [...edges, ...Array.from({ length: stepsOf(2000) }, () => random.int64())]
  for (const wide of values) {
    const [low, high] = new Int32Array(BigInt64Array.of(wide).buffer)
    for (const value of [wide, narrowInt64(wide)]) {
      expect([lowHalf(value) | 0, highHalf(value)]).toEqual([low!, high!])
    }
    const back = int64Of(low! >>> 0, high!)
    expect(BigInt(back)).toBe(wide)
    expect(typeof back).toBe(Number.isSafeInteger(Number(wide)) ? 'number' : 'bigint')
    expect(Object.is(back, -0)).toBe(false)
  }
})

test('only exact integers of 64 bits are int64', () => {
  for (const value of [0, -5, 2 ** 53 - 1, 2n ** 63n - 1n, -(2n ** 63n)])
    expect(isInt64(value)).toBe(true)
  for (const value of [2 ** 53, 0.5, NaN, Infinity, 2n ** 63n, '1', null, true]) {
    expect(isInt64(value)).toBe(false)
  }
})

test('texts compare as their UTF-8 bytes do', () => {
  const random = new SeededRandom('utf-8 order')
  for (let step = 0; step < stepsOf(3000); step++) {
    const [a, b] = [random.text(4), random.text(4)]
    expect(Math.sign(compareUtf8(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)))
  }
})
