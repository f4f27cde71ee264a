import { expect, test } from 'bun:test'
import { rfc3339Text } from '../../src/base/time-text.ts'
import { ByteWriter } from '../../src/codec/byte-writer.ts'
import { writeTimeText } from '../../src/codec/time-bytes.ts'
import { SeededRandom, stepsOf } from '../base/seeded-random.ts'

const out = new ByteWriter()

function written(timeUs: number): string {
  writeTimeText(out, timeUs)
  return new TextDecoder().decode(out.take())
}

const meant = (timeUs: number): string => JSON.stringify(rfc3339Text(timeUs))

test.each([
  [0, '"1970-01-01T00:00:00Z"'],
  [-1, '"1969-12-31T23:59:59.999999Z"'],
  [1_000, '"1970-01-01T00:00:00.001Z"'],
  [1_709_164_800_000_000, '"2024-02-29T00:00:00Z"'],
  [Number.MAX_SAFE_INTEGER, '"2255-06-05T23:47:34.740991Z"'],
  [Number.MIN_SAFE_INTEGER, '"1684-07-28T00:12:25.259009Z"'],
])('%p microseconds are %s', (timeUs, text) => {
  expect(written(timeUs)).toBe(text)
  expect(meant(timeUs)).toBe(text)
})

test('every time has the text that it has elsewhere, which Date agrees with', () => {
  const random = new SeededRandom('time-bytes')
  for (let step = stepsOf(5000); step > 0; step--) {
    const size = 2 ** (20 + random.below(34)) - 1
    const unit = random.pick([1, 1000, 1_000_000])
    const timeUs = Math.trunc(((random.next() * 2 - 1) * size) / unit) * unit + 0
    const text = written(timeUs)
    if (text !== meant(timeUs)) expect(text).toBe(meant(timeUs))
    const iso = new Date(Math.floor(timeUs / 1000)).toISOString()
    if (text.slice(1, 20) !== iso.slice(0, 19)) expect(text).toBe(iso)
  }
})
