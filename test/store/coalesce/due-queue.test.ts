import { expect, test } from 'bun:test'
import type { Due } from '../../../src/store/coalesce/due-queue.ts'
import { DueQueue, NOT_QUEUED } from '../../../src/store/coalesce/due-queue.ts'
import { SeededRandom, stepsOf } from '../../base/seeded-random.ts'
import { DrivenClock } from './driven-clock.ts'

const makeDue = (): Due => ({ dueMs: 0, dueAt: NOT_QUEUED })

test('what is due comes in the order of its time, whatever is added and removed', () => {
  const random = new SeededRandom('due queue')
  const clock = new DrivenClock()
  const queue = new DueQueue<Due>(clock, () => {})
  const model = new Set<Due>()
  for (let step = 0; step < stepsOf(5000); step++) {
    const choice = random.below(10)
    if (choice < 5) {
      const due = makeDue()
      queue.add(due, random.below(1000))
      model.add(due)
    } else if (choice < 7) {
      const due = random.pick([...model, makeDue()])
      queue.remove(due)
      model.delete(due)
    } else {
      const first = [...model].reduce((ms, { dueMs }) => Math.min(ms, dueMs), Infinity)
      const nowMs = random.below(1000)
      const due = queue.take(nowMs)
      if (due === undefined) expect(first).toBeGreaterThan(nowMs)
      else {
        expect(due.dueMs).toBe(first)
        expect(model.delete(due)).toBe(true)
      }
    }
  }
  for (const due of model) queue.remove(due)
  expect(queue.take(Infinity)).toBeUndefined()
  expect(clock.timers).toBe(0)
})

test('it wakes for the earliest, by one timer', async () => {
  const clock = new DrivenClock()
  const woken: number[] = []
  const queue: DueQueue<Due> = new DueQueue(clock, () => {
    for (let due = queue.take(clock.now()); due !== undefined; due = queue.take(clock.now())) {
      woken.push(due.dueMs)
    }
    queue.arm()
  })
  const startMs = clock.now()
  const removed = makeDue()
  queue.add(makeDue(), startMs + 30.5)
  queue.add(removed, startMs + 5)
  queue.add(makeDue(), startMs + 10)
  expect(clock.timers).toBe(1)
  queue.remove(removed)
  await clock.pass(10)
  expect(woken).toEqual([startMs + 10])
  await clock.pass(200_000)
  expect(woken).toEqual([startMs + 10, startMs + 30.5])
  expect(clock.timers).toBe(0)
})

test('what is due long after the longest timer comes in its time', async () => {
  const clock = new DrivenClock()
  let woken = 0
  const queue: DueQueue<Due> = new DueQueue(clock, () => {
    if (queue.take(clock.now()) !== undefined) woken++
    queue.arm()
  })
  queue.add(makeDue(), clock.now() + 1e7)
  await clock.pass(1e7 - 1)
  expect(woken).toBe(0)
  await clock.pass(1)
  expect(woken).toBe(1)
})
