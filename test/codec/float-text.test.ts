/** Fractions are written with the digits that JavaScript prints: the shortest, and of those the nearest. */
import { expect, test } from 'bun:test'
import {
  FRACTION_BYTES_MAX,
  FRACTION_MIN,
  UNDECIDED,
  isFraction,
  writeFraction,
} from '../../src/codec/float-text.ts'
import { SeededRandom, stepsOf } from '../base/seeded-random.ts'

type Writer = typeof writeFraction

const AT = 30
const BLANK = 0xff
const bytes = new Uint8Array(AT + FRACTION_BYTES_MAX + 30)
const decoder = new TextDecoder('latin1')
const lanes = new DataView(new ArrayBuffer(8))

/** The text, or '' where it was left undecided. */
function textOf(write: Writer, value: number): string {
  bytes.fill(BLANK)
  const end = write(bytes, AT, value)
  const isKept = (byte: number, place: number): boolean =>
    byte === BLANK || (place >= AT && place < AT + FRACTION_BYTES_MAX)
  if (!bytes.every(isKept)) throw new Error(`${value}: written outside of its place`)
  return end === UNDECIDED ? '' : decoder.decode(bytes.subarray(AT, end))
}

/** Faults among the values, and how many were left undecided. */
function tally(write: Writer, values: Iterable<number>) {
  const wrong: string[] = []
  let [written, undecided] = [0, 0]
  for (const value of values) {
    if (!isFraction(value)) continue
    const text = textOf(write, value)
    if (text === '') undecided++
    else if (text !== String(value)) wrong.push(`${value} as ${text}`)
    written++
  }
  return { wrong, written, undecided }
}

function floatOf(random: SeededRandom): number {
  const exponent = 127 - 20 + random.below(20 + 23)
  lanes.setUint32(0, exponent * 2 ** 23 + random.below(2 ** 23))
  return lanes.getFloat32(0)
}

function doubleOf(random: SeededRandom): number {
  const exponent = 1023 - 20 + random.below(20 + 52)
  lanes.setUint32(0, exponent * 2 ** 20 + random.below(2 ** 20))
  lanes.setUint32(4, random.below(2 ** 32))
  return lanes.getFloat64(0)
}

const MAKERS: readonly (readonly [string, (random: SeededRandom) => number])[] = [
  ['widened float32 of every exponent', floatOf],
  ['doubles of every exponent', doubleOf],
  [
    'decimals of few places',
    (random) => Math.round(random.next() * 10 ** random.below(18)) / 10 ** random.below(9),
  ],
  [
    'multiples of small powers of two',
    (random) => random.below(2 ** random.below(33)) / 2 ** random.below(40),
  ],
  [
    'neighbours of decimals',
    (random) => {
      lanes.setFloat64(0, Number(`${random.below(10 ** random.below(9))}e-${random.below(9)}`))
      lanes.setBigInt64(0, lanes.getBigInt64(0) + BigInt(random.below(5) - 2))
      return lanes.getFloat64(0)
    },
  ],
]

test.each(MAKERS)('%s have the digits that JavaScript prints', (name, make) => {
  const random = new SeededRandom(`float-text, ${name}`)
  const values = Array.from({ length: stepsOf(20_000) }, () => make(random))
  const { wrong, written, undecided } = tally(writeFraction, values)
  expect(wrong).toEqual([])
  expect(written).toBeGreaterThan(values.length / 10)
  expect(undecided).toBeLessThanOrEqual(written / 1000)
})

/** The values at both ends of each exponent and around each power of ten. */
function* edges(): Generator<number> {
  const near = [-3n, -2n, -1n, 0n, 1n, 2n, 3n]
  const centres = [
    ...Array.from({ length: 73 }, (_, place) => 2 ** (place - 20)),
    ...Array.from({ length: 23 }, (_, place) => Number(`1e${place - 6}`)),
  ]
  for (const centre of centres) {
    for (const step of near) {
      lanes.setFloat64(0, centre)
      lanes.setBigInt64(0, lanes.getBigInt64(0) + step)
      yield lanes.getFloat64(0)
      lanes.setFloat32(0, centre)
      lanes.setInt32(0, lanes.getInt32(0) + Number(step))
      yield lanes.getFloat32(0)
    }
  }
}

test('the ends of every exponent and the powers of ten are exact', () => {
  const { wrong, written, undecided } = tally(writeFraction, edges())
  expect(wrong).toEqual([])
  expect(undecided).toBe(0)
  expect(written).toBeGreaterThan(500)
})

test.each([
  // Halfway between two texts as short: the even digit.
  [9.0000152587890625, '9.000015258789062'],
  [64.0000457763671875, '64.00004577636719'],
  [0.5, '0.5'],
  [0.1, '0.1'],
  [0.30000000000000004, '0.30000000000000004'],
  [Math.fround(0.1), '0.10000000149011612'],
  [0.9999999999999999, '0.9999999999999999'],
  [FRACTION_MIN, '0.000001'],
  [9.999999999999999e-5, '0.00009999999999999999'],
  [4503599627370495.5, '4503599627370495.5'],
  [99999999999.9999, '99999999999.9999'],
])('%p is %s', (value, meant) => {
  expect(textOf(writeFraction, value)).toBe(meant)
})

test('what is too close to call is left undecided', () => {
  expect(textOf(writeFraction, 28.330628696840918)).toBe('')
})

test('a last digit that is off by one is found (canary)', () => {
  const offByOne: Writer = (target, at, value) => {
    const end = writeFraction(target, at, value)
    if (end - at > 17) target[end - 1]! ^= 1
    return end
  }
  const random = new SeededRandom('float-text, canary')
  const values = Array.from({ length: 100 }, () => doubleOf(random))
  expect(tally(offByOne, values).wrong).not.toEqual([])
})
