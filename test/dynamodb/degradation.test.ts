/** What a server does while its DynamoDB is away, and when it is back. */
import { afterAll, expect, test } from 'bun:test'
import { describeWithDynamo, ownDynamo } from '../parts/dynamodb.ts'
import { cleanUp } from '../threads/server-process.ts'
import { type Read, VIEWS, WatchedServer } from './watched-server.ts'

/** One test starts DynamoDB Local twice, and a server. */
const TEST_MS_MAX = 120_000

const KEYS = [1, 2, 3, 4, 5]
const DEADLINE_MS = 200
const PATIENT_MS = 30_000
/**
 * Well past the deadline and a busy machine's pauses, and well before a read without one would end: who
 * answers by then kept the deadline.
 */
const ANSWERED_MS_MAX = 1_500

/** The promise: by itself, within a second. */
const RECOVERED_MS_MAX = 1_000

const all = <Value>(value: Value): Value[] => KEYS.map(() => value)

/** A fresh answer of every view. */
function expectFresh(read: Read): void {
  expect(read).toMatchObject({ status: 200, late: 0, stale: 0 })
  expect(read.values).toEqual(Object.fromEntries(VIEWS.map((view) => [view, KEYS])))
}

await describeWithDynamo('a server whose DynamoDB', () => {
  afterAll(cleanUp)

  test(
    'is killed answers what it has, says what it has not, and is whole again when it is back',
    async () => {
      const dynamo = await ownDynamo()
      const server = await WatchedServer.start(dynamo.url)
      await server.load(dynamo.url, KEYS)
      expectFresh(await server.read(KEYS, VIEWS, PATIENT_MS))
      expect(await server.warnings()).toEqual([])

      await dynamo.kill()
      const read = await server.read(KEYS, VIEWS, DEADLINE_MS)
      expect(read.ms).toBeLessThan(ANSWERED_MS_MAX)
      expect(read).toMatchObject({ status: 200, late: KEYS.length, stale: KEYS.length })
      expect(read.statuses).toEqual({
        plain: all('LATE'),
        kept: all('PRESENT'),
        lasting: all('PRESENT'),
      })
      expect(read.values).toEqual({ plain: all(null), kept: KEYS, lasting: KEYS })
      const late = await server.lateForFeast(KEYS, DEADLINE_MS)
      expect(late).toEqual([KEYS.length, all('NOT_FOUND')])
      const [warning] = await server.untilWarned(true)
      expect(warning).toContain('DynamoDB')
      expect(await server.counted('calls_unavailable')).toBeGreaterThan(0)

      const again = await ownDynamo(dynamo.port)
      await server.load(again.url, KEYS)
      const backMs = performance.now()
      let now = await server.read(KEYS, ['plain'], DEADLINE_MS)
      while (now.late > 0) now = await server.read(KEYS, ['plain'], DEADLINE_MS)
      expect(performance.now() - backMs).toBeLessThan(RECOVERED_MS_MAX)
      expect(now.values).toEqual({ plain: KEYS })
      await server.untilWarned(false)
      expectFresh(await server.read(KEYS, VIEWS, PATIENT_MS))
      await again.stop()
    },
    TEST_MS_MAX,
  )
})
