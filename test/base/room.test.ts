import { expect, test } from 'bun:test'
import { Room } from '../../src/base/room.ts'
import { SeededRandom, stepsOf } from './seeded-random.ts'

test('a room is full by count or by bytes, and whoever leaves makes room', () => {
  const room = new Room({ countMax: 2, bytesMax: 100 })
  expect(room.enter(60)).toBe(true)
  expect(room.enter(60)).toBe(false)
  expect(room.enter(40)).toBe(true)
  expect(room.enter(0)).toBe(false)
  room.leave(60)
  expect(room.enter(60)).toBe(true)
})

test('one that is larger than the room is let in alone', () => {
  const room = new Room({ countMax: 2, bytesMax: 100 })
  expect(room.enter(500)).toBe(true)
  expect(room.enter(1)).toBe(false)
  room.leave(500)
  expect(room.enter(1)).toBe(true)
  expect(room.enter(500)).toBe(false)
})

test('those who wait enter in the order in which they came, and nobody passes them by', async () => {
  const room = new Room({ countMax: 9, bytesMax: 100 })
  room.enter(100)
  const entered: number[] = []
  const waiting = [80, 10, 5].map((bytes) =>
    room.waitToEnter(bytes).then(() => void entered.push(bytes)),
  )
  expect(room.enter(1)).toBe(false)
  room.leave(100)
  await Promise.all(waiting)
  expect(entered).toEqual([80, 10, 5])
})

test('a room never holds more than its bounds, and everybody gets in at last', async () => {
  const random = new SeededRandom('room')
  const room = new Room({ countMax: 4, bytesMax: 50 })
  const inside: number[] = []
  let visits = 0
  const visit = async (): Promise<void> => {
    const bytes = random.below(60)
    await room.waitToEnter(bytes)
    inside.push(bytes)
    const held = inside.reduce((sum, one) => sum + one, 0)
    expect(inside.length === 1 || (inside.length <= 4 && held <= 50)).toBe(true)
    for (let turn = random.below(4); turn > 0; turn--) await Promise.resolve()
    inside.splice(inside.indexOf(bytes), 1)
    visits++
    room.leave(bytes)
  }
  const steps = stepsOf(300)
  await Promise.all(Array.from({ length: steps }, visit))
  expect(visits).toBe(steps)
})
