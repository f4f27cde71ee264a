import { expect, test } from 'bun:test'
import { within } from '../../src/base/within.ts'

test('what settles in time is given on, value or failure', async () => {
  expect(await within(Promise.resolve(5), 10_000)).toBe(5)
  await expect(within(Promise.reject(new Error('no')), 10_000)).rejects.toThrow('no')
})

test('what does not settle in time is undefined, and may fail later unheard', async () => {
  const { promise, reject } = Promise.withResolvers<number>()
  expect(await within(promise, 1)).toBe(undefined)
  reject(new Error('too late'))
  await Promise.resolve()
})
