/** Numbers and texts of JSON replies are those that JSON itself would write, but for what it has no word for. */
import { expect, test } from 'bun:test'
import { int64Of } from '../../src/base/int64.ts'
import { ByteWriter } from '../../src/codec/byte-writer.ts'
import {
  writeDouble,
  writeInt64,
  writeInteger,
  writePlain,
  writeText,
} from '../../src/codec/json-text.ts'
import { SeededRandom, stepsOf } from '../base/seeded-random.ts'

const out = new ByteWriter()
const text = (write: () => void): string => {
  write()
  return new TextDecoder().decode(out.take())
}

test('a double is the shortest text that reads back as the same double', () => {
  const random = new SeededRandom('number-text, doubles')
  const bits = new DataView(new ArrayBuffer(8))
  const anyDouble = (): number => {
    bits.setBigUint64(0, BigInt.asUintN(64, random.int64()) ^ (random.int64() << 20n))
    return bits.getFloat64(0)
  }
  const makers = [
    anyDouble,
    () => random.double(),
    () => Math.fround((random.next() - 0.5) * 10 ** random.below(12)),
    () => Math.round((random.next() - 0.5) * 10 ** random.below(20)) / 10 ** random.below(7),
    () => 1e15 + random.below(9) - 4,
  ]
  for (let step = 0; step < stepsOf(20_000); step++) {
    const value = random.pick(makers)()
    if (!Number.isFinite(value) || Object.is(value, -0)) continue
    const written = text(() => writeDouble(out, value))
    if (written !== String(value)) expect(written).toBe(String(value))
  }
  expect(text(() => writeDouble(out, 0.1))).toBe('0.1')
})

test.each([
  [-0, '-0'],
  [NaN, '"NaN"'],
  [Infinity, '"Infinity"'],
  [-Infinity, '"-Infinity"'],
  [5e-324, '5e-324'],
  [-1.7976931348623157e308, '-1.7976931348623157e+308'],
  [0.00005, '0.00005'],
  [-0.0001, '-0.0001'],
  [100.05, '100.05'],
  [999_999_999.9999, '999999999.9999'],
  [1e21, '1e+21'],
  // What double arithmetic leaves undecided.
  [0.960052569483064, '0.960052569483064'],
  [-28.330628696840918, '-28.330628696840918'],
])('the double %p is %s', (value, meant) => {
  expect(text(() => writeDouble(out, value))).toBe(meant)
})

test('integers have every digit', () => {
  const random = new SeededRandom('number-text, integers')
  const edges = [0n, -1n, 9n, 10n, 999_999_999n, 1_000_000_000n, -1_000_000_001n]
  const powers = [31n, 32n, 53n, 63n].flatMap((power) => [
    2n ** power - 1n,
    2n ** power,
    -(2n ** power),
  ])
  const randoms = Array.from({ length: stepsOf(5000) }, () => random.int64())
  for (const value of [...edges, ...powers, ...randoms]) {
    const exact = BigInt.asIntN(64, value)
    const low = Number(BigInt.asUintN(32, exact))
    const high = Number(exact >> 32n)
    expect(text(() => writeInt64(out, low, high))).toBe(String(exact))
    const near = int64Of(low, high)
    if (typeof near === 'number') expect(text(() => writeInteger(out, near))).toBe(String(exact))
  }
})

test('texts read back as they were, whatever is in them', () => {
  const every = Array.from({ length: 0x300 }, (_, code) => String.fromCharCode(code)).join('')
  for (const value of ['', 'plain', '"\\/\b\f\n\r\t', every, '用😀\u2028']) {
    const bytes = new TextEncoder().encode(`..${value}..`)
    const written = text(() => writeText(out, bytes, 2, bytes.length - 2))
    expect(JSON.parse(written)).toBe(value)
  }
})

test('values without a schema are JSON', () => {
  const value = {
    list: [1, 1.5, null, true, 'a"b', [], {}],
    big: 2n ** 63n - 1n,
    bytes: Uint8Array.of(1, 2),
    nan: NaN,
    '"key"': -0,
  }
  expect(text(() => writePlain(out, value))).toBe(
    '{"list":[1,1.5,null,true,"a\\"b",[],{}],"big":9223372036854775807,"bytes":"AQI=","nan":"NaN","\\"key\\"":-0}',
  )
})
