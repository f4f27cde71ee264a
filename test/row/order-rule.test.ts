import { expect, test } from 'bun:test'
import { OUTCOME, isLaterInRun, judgeDelete, judgeRow } from '../../src/row/order-rule.ts'

const same = (): boolean => true
const other = (): boolean => false
const unasked = (): boolean => {
  throw new Error('content was looked at for nothing')
}

test('a later row wins, an older one never does, and on equal times the later arrival wins', () => {
  expect(judgeRow('row', 10, 11, other)).toBe(OUTCOME.changed)
  expect(judgeRow('row', 10, 11, same)).toBe(OUTCOME.touched)
  expect(judgeRow('row', 10, 10, other)).toBe(OUTCOME.changed)
  expect(judgeRow('row', 10, 10, same)).toBe(OUTCOME.unchanged)
  expect(judgeRow('row', 10, 9, unasked)).toBe(OUTCOME.older)
})

test('a tombstone blocks older rows, and nothing blocks nothing', () => {
  expect(judgeRow('nothing', NaN, -5, unasked)).toBe(OUTCOME.new)
  expect(judgeRow('tombstone', 10, 9, unasked)).toBe(OUTCOME.older)
  expect(judgeRow('tombstone', 10, 10, unasked)).toBe(OUTCOME.new)
  expect(judgeRow('tombstone', 10, 11, unasked)).toBe(OUTCOME.new)
})

test('a delete obeys the same rule', () => {
  expect(judgeDelete('nothing', NaN, 5)).toBe(OUTCOME.deleted)
  expect(judgeDelete('row', 10, 9)).toBe(OUTCOME.older)
  expect(judgeDelete('row', 10, 10)).toBe(OUTCOME.deleted)
  expect(judgeDelete('tombstone', 10, 9)).toBe(OUTCOME.older)
  expect(judgeDelete('tombstone', 10, 10)).toBe(OUTCOME.unchanged)
  expect(judgeDelete('tombstone', 10, 11)).toBe(OUTCOME.touched)
})

test('in one run the event time decides, then the created time, then the last', () => {
  expect(isLaterInRun(1, 9, 2, 0)).toBe(true)
  expect(isLaterInRun(2, 0, 1, 9)).toBe(false)
  expect(isLaterInRun(1, 5, 1, 4)).toBe(false)
  expect(isLaterInRun(1, 5, 1, 5)).toBe(true)
  expect(isLaterInRun(1, 5, 1, 6)).toBe(true)
  expect(isLaterInRun(1, NaN, 1, NaN)).toBe(true)
  expect(isLaterInRun(1, 5, 1, NaN)).toBe(true)
})
