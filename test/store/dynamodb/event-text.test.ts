import { expect, test } from 'bun:test'
import { TIME_US_MAX } from '../../../src/base/limits.ts'
import { eventTsText } from '../../../src/base/time-text.ts'
import { parseEventText } from '../../../src/store/dynamodb/event-text.ts'
import { SeededRandom, stepsOf } from '../../base/seeded-random.ts'

/** The text stands among others: nothing outside it may be read. */
function parsed(text: string): number {
  const bytes = new TextEncoder().encode(`99${text}99`)
  return parseEventText(bytes, 2, bytes.length - 2)
}

const TEN = 1787220000_000_000

const TIMES: readonly (readonly [text: string, timeUs: number])[] = [
  ['2026-08-20 10:00:00+00:00', TEN],
  ['2026-08-20T10:00:00+00:00', TEN],
  ['2026-08-20t10:00:00z', TEN],
  ['2026-08-20 10:00:00', TEN],
  ['2026-08-20 10:00', TEN],
  ['2026-08-20 10:00+00:00', TEN],
  ['2026-08-20 10:00:00Z', TEN],
  ['2026-08-20', TEN - 36_000_000_000],
  ['2026-08-20 10:00:00.123456+00:00', TEN + 123_456],
  ['2026-08-20 10:00:00.5+00:00', TEN + 500_000],
  ['2026-08-20 10:00:00,25Z', TEN + 250_000],
  ['2026-08-20 10:00:00.000001', TEN + 1],
  ['2026-08-20 10:00:00.123456789+00:00', TEN + 123_456],
  ['2026-08-20 10:00:00.1234567890123', TEN + 123_456],
  ['2026-08-20 15:30:00+05:30', TEN],
  ['2026-08-20 15:30:00+0530', TEN],
  ['2026-08-20 12:00:00+02', TEN],
  ['2026-08-20 02:00:00-08:00', TEN],
  ['2026-08-20 10:53:28+00:53:28', TEN],
  ['2026-08-20 00:00:00-10:00', TEN],
  ['1970-01-01 00:00:00+00:00', 0],
  ['1969-12-31 23:59:59.999999+00:00', -1],
  ['2024-02-29 00:00:00', 1709164800_000_000],
  ['9999-12-31 23:59:59.999999+00:00', TIME_US_MAX],
  ['0001-01-01 00:00:00+00:00', -TIME_US_MAX],
]

for (const [text, timeUs] of TIMES) {
  test(`"${text}" is a time`, () => expect(parsed(text)).toBe(timeUs))
}

const NO_TIMES = [
  '',
  'NaT',
  'None',
  'not-a-time',
  '2026-08-2',
  '2026-13-01',
  '2026-02-29 00:00:00',
  '2026-00-10',
  '0000-01-01',
  '2026-08-20 24:00:00',
  '2026-08-20 10:60:00',
  '2026-08-20 10:00:60',
  '2026-08-20 1:00:00',
  '2026-08-20 10:0',
  '2026-08-20 10:00:',
  '2026-08-20 10:00:00.',
  '2026-08-20 10:00:00.+00:00',
  '2026-08-20 10:00:00 +00:00',
  '2026-08-20 10:00:00+24:00',
  '2026-08-20 10:00:00+00:60',
  '2026-08-20 10:00:00+0:00',
  '2026-08-20 10:00:00+00-00',
  '2026-08-20 10:00:00+00:00:',
  '2026-08-20x10:00:00',
  '20260820T100000Z',
  '2026/08/20 10:00:00',
  '-2026-08-20 10:00:00',
  '20２6-08-20',
]

for (const text of NO_TIMES) {
  test(`"${text}" is no time`, () => expect(parsed(text)).toBeNaN())
}

test('what we write ourselves is read back, whatever the time', () => {
  const random = new SeededRandom('event texts')
  for (let step = 0; step < stepsOf(2000); step++) {
    const timeUs = Math.round((random.next() - 0.5) * 2 ** random.below(54)) + 0 // no -0
    expect(parsed(eventTsText(timeUs))).toBe(timeUs)
  }
  for (const timeUs of [TIME_US_MAX, -TIME_US_MAX, 0, -1]) {
    expect(parsed(eventTsText(timeUs))).toBe(timeUs)
  }
})
