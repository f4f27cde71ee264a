import { expect, test } from 'bun:test'
import { Fault } from '../../src/base/fault.ts'
import { eventTsText, parseTimeText, readTimeText, rfc3339Text } from '../../src/base/time-text.ts'
import { SeededRandom, stepsOf } from './seeded-random.ts'

test('times in every accepted form are the same instant', () => {
  const forms = [
    '2026-08-20T10:00:00Z',
    '2026-08-20t10:00:00z',
    '2026-08-20 10:00:00',
    '2026-08-20 10:00',
    '2026-08-20T12:00:00+02:00',
    '2026-08-20 05:30:00.000-0430',
    '2026-08-20T23:59:00+13:59',
    '2026-08-21T00:00+14',
    '2026-08-20 10:00:00,000000000Z',
  ]
  for (const form of forms) expect([form, parseTimeText(form)]).toEqual([form, 1787220000_000_000])
  expect(parseTimeText('2026-08-20')).toBe(1787184000_000_000)
})

test('fractions are exact to the microsecond and cut off beyond', () => {
  expect(parseTimeText('2026-08-20 10:00:00.1Z')).toBe(1787220000_100_000)
  expect(parseTimeText('2026-08-20 10:00:00.123456Z')).toBe(1787220000_123_456)
  expect(parseTimeText('2026-08-20 10:00:00.123456999Z')).toBe(1787220000_123_456)
  expect(parseTimeText('1969-12-31 23:59:59.999999999')).toBe(-1)
  expect(parseTimeText('1969-12-31 23:59:59.000001')).toBe(-999_999)
})

test('the first and the last time are exact, and what lies beyond is refused', () => {
  expect(parseTimeText('2255-06-05T23:47:34.740991Z')).toBe(2 ** 53 - 1)
  expect(parseTimeText('1684-07-28T00:12:25.259009Z')).toBe(-(2 ** 53) + 1)
  for (const text of [
    '2255-06-05T23:47:34.740993Z',
    '1684-07-28T00:12:25.259007Z',
    '1600-01-01',
    '9999-12-31',
  ]) {
    expect(() => parseTimeText(text)).toThrow(Fault)
  }
})

test('what is no time is refused', () => {
  const wrong = [
    '',
    '2026',
    '2026-08',
    '20260820',
    '2026-13-01',
    '2026-00-01',
    '2026-02-29',
    '2100-02-29',
    '2026-04-31',
    '2026-08-00',
    '2026-08-20T',
    '2026-08-20T24:00:00Z',
    '2026-08-20T10:60:00Z',
    '2026-08-20T10:00:60Z',
    '2026-08-20T10',
    '2026-08-20T10:0',
    '2026-08-20T10:00:',
    '2026-08-20T10:00:00.',
    '2026-08-20T10:00:00.Z',
    '2026-08-20T10:00:00.1234567890Z',
    '2026-08-20T10:00:00+',
    '2026-08-20T10:00:00+2',
    '2026-08-20T10:00:00+02:',
    '2026-08-20T10:00:00+02:60',
    '2026-08-20T10:00:00+24:00',
    '2026-08-20T10:00:00+020000',
    '2026-08-20T10:00:00ZZ',
    '2026-08-20T10:00:00 Z',
    ' 2026-08-20',
    '2026-08-20 ',
    '-026-08-20',
    '2026_08_20',
    '２０２６-08-20',
    'NaT',
  ]
  for (const text of wrong) {
    expect([text, readTimeText(text)]).toEqual([text, NaN])
    expect(() => parseTimeText(text)).toThrow(Fault)
  }
})

test('times are shown with the least fraction that is exact', () => {
  expect(rfc3339Text(0)).toBe('1970-01-01T00:00:00Z')
  expect(rfc3339Text(1787220000_123_000)).toBe('2026-08-20T10:00:00.123Z')
  expect(rfc3339Text(1787220000_123_456)).toBe('2026-08-20T10:00:00.123456Z')
  expect(rfc3339Text(1787220000_500_000)).toBe('2026-08-20T10:00:00.500Z')
  expect(rfc3339Text(-1)).toBe('1969-12-31T23:59:59.999999Z')
  expect(eventTsText(1787220000_000_000)).toBe('2026-08-20 10:00:00+00:00')
  expect(eventTsText(1787220000_500_000)).toBe('2026-08-20 10:00:00.500000+00:00')
  expect(eventTsText(-62_135_596)).toBe('1969-12-31 23:58:57.864404+00:00')
})

test('every time comes back from its text, and dates are those of Date', () => {
  const random = new SeededRandom('time text')
  for (let step = 0; step < stepsOf(5000); step++) {
    const timeUs = Math.trunc((random.next() * 2 - 1) * (2 ** 53 - 1))
    expect(parseTimeText(rfc3339Text(timeUs))).toBe(timeUs)
    expect(parseTimeText(eventTsText(timeUs))).toBe(timeUs)
    const millis = Math.floor(timeUs / 1000)
    expect(rfc3339Text(millis * 1000).slice(0, 19)).toBe(
      new Date(millis).toISOString().slice(0, 19),
    )
  }
  for (let day = -104_249; day <= 104_248; day += 7) {
    const date = new Date(day * 86_400_000).toISOString()
    expect(parseTimeText(date)).toBe(day * 86_400_000_000)
    expect(parseTimeText(date.slice(0, 10))).toBe(day * 86_400_000_000)
  }
})
