import { expect, test } from 'bun:test'
import { durationText, parseDurationUs } from '../../src/catalog/parse-duration.ts'

test('a length of time is a number with a unit, or seconds', () => {
  const lengths: [unknown, number][] = [
    ['24h', 86_400_000_000],
    ['15m', 900_000_000],
    ['7d', 604_800_000_000],
    ['2w', 1_209_600_000_000],
    ['90s', 90_000_000],
    ['500ms', 500_000],
    ['1.5h', 5_400_000_000],
    ['0', 0],
    ['30', 30_000_000],
    [0.25, 250_000],
    [90, 90_000_000],
    ['1 h', 3_600_000_000],
  ]
  for (const [found, us] of lengths) expect(parseDurationUs(found)).toBe(us)
})

test('what is no length of time is undefined', () => {
  const others = [
    '',
    'h',
    '-1h',
    '1y',
    '1h30m',
    '24 hours',
    '1e3',
    'Infinity',
    -1,
    Number.NaN,
    1e300,
    '999999999w',
    null,
    true,
    {},
  ]
  for (const found of others) expect(parseDurationUs(found)).toBeUndefined()
})

test('a length is told in the largest unit that keeps it whole, and read back the same', () => {
  expect(durationText(3_600_000_000)).toBe('1h')
  expect(durationText(604_800_000_000)).toBe('1w')
  expect(durationText(90_000_000)).toBe('90s')
  expect(durationText(1_500)).toBe('0.0015s')
  for (const us of [1, 1_500, 500_000, 86_400_000_000, 123_456_789]) {
    expect(parseDurationUs(durationText(us))).toBe(us)
  }
})
