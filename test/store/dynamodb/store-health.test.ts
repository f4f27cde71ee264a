import { expect, test } from 'bun:test'
import { StoreHealth } from '../../../src/store/dynamodb/store-health.ts'

function makeHealth() {
  const tally = { answered: 0, refused: 0, throttled: 0, unavailable: 0, abandoned: 0 }
  const calls = { tally, lastFailure: '' }
  const health = new StoreHealth(calls)
  const look = (ended: Partial<typeof tally>): string => {
    for (const [name, count] of Object.entries(ended)) tally[name as keyof typeof tally] += count
    health.look()
    return health.problem
  }
  return { health, calls, look }
}

test('failures are told with their share and reason until an interval has none', () => {
  const { calls, look, health } = makeHealth()
  expect(look({ answered: 10 })).toBe('')
  calls.lastFailure = 'connection refused'
  expect(look({ answered: 1, unavailable: 2, throttled: 1 })).toBe(
    '3 of 4 calls were not answered, the last one: connection refused',
  )
  expect(look({})).toContain('3 of 4') // nobody asked: nothing is known to be better
  expect(health.isIdle).toBe(true)
  expect(look({ answered: 1 })).toBe('')
  expect(health.isIdle).toBe(false)
})

test('calls given up are failures only where none was answered', () => {
  const { look } = makeHealth()
  expect(look({ answered: 5, abandoned: 1 })).toBe('')
  expect(look({ abandoned: 2 })).toBe('2 of 2 calls were not answered before who asked gave up')
  expect(look({ refused: 1 })).toBe('')
})
