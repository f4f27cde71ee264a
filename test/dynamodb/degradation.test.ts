/** What a server does while its DynamoDB is away, and when it is back. */
import { afterAll, expect, test } from 'bun:test'
import { describeWithDynamo, ownDynamo } from '../parts/dynamodb.ts'
import { MODE, type ProxyMode, startFaultProxy } from '../parts/fault-proxy.ts'
import { cleanUp } from '../threads/server-process.ts'
import { type Read, VIEWS, WatchedServer } from './watched-server.ts'

/** One test starts DynamoDB Local twice, and a server. */
const TEST_MS_MAX = 120_000

const KEYS = [1, 2, 3, 4, 5]
const DEADLINE_MS = 200
const PATIENT_MS = 30_000
/** As many as meet each fault of a share. */
const READS_LAME = 10
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

/** While nothing of DynamoDB answers: what is kept is answered, of the rest it is said. */
async function expectDegraded(server: WatchedServer): Promise<void> {
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
}

/** From now on DynamoDB answers. */
async function expectRecovery(server: WatchedServer): Promise<void> {
  const backMs = performance.now()
  await expectWhole(server)
  expect(performance.now() - backMs).toBeLessThan(RECOVERED_MS_MAX)
}

/** Sooner or later it answers in time, and warns of nothing. */
async function expectWhole(server: WatchedServer): Promise<void> {
  let read = await server.read(KEYS, VIEWS, DEADLINE_MS)
  while (read.late + read.stale > 0) read = await server.read(KEYS, VIEWS, DEADLINE_MS)
  expectFresh(read)
  await server.untilWarned(false)
}

/** No call is answered as it should be. */
const AWAY: readonly (readonly [string, ProxyMode])[] = [
  ['is slower than any deadline', MODE.slow(5_000)],
  ['throttles every call', MODE.throttle()],
  ['answers 500', MODE.errors()],
  ['refuses connections', MODE.refuse],
  ['hangs', MODE.hang],
  ['breaks connections', MODE.reset],
  ['is cut off in its replies', MODE.cut],
  ['is another program', MODE.garbage],
]

/** Some are; what is asked again in time is answered. */
const LAME: readonly (readonly [string, ProxyMode])[] = [
  ['is slow within the deadline', MODE.slow(50)],
  ['throttles every other call', MODE.throttle(0.5)],
  ['answers every other call with 500', MODE.errors(0.5)],
  ['leaves out a third of the keys', MODE.unprocessed(0.34)],
]

await describeWithDynamo('a server whose DynamoDB', (url) => {
  afterAll(cleanUp)

  test.each(AWAY)(
    '%s keeps its deadlines, says what it has not, and recovers by itself',
    async (_, mode) => {
      const proxy = startFaultProxy(url)
      const server = await WatchedServer.start(proxy.url)
      await server.load(url, KEYS)
      expectFresh(await server.read(KEYS, VIEWS, PATIENT_MS))
      proxy.mode = mode
      await expectDegraded(server)
      const [warning] = await server.untilWarned(true)
      expect(warning).toContain('DynamoDB')
      await expectDegraded(server)
      proxy.mode = MODE.pass
      await expectRecovery(server)
      await server.kill()
      proxy.stop()
    },
    TEST_MS_MAX,
  )

  test.each(LAME)(
    '%s is answered for in full',
    async (_, mode) => {
      const proxy = startFaultProxy(url)
      const server = await WatchedServer.start(proxy.url)
      await server.load(url, KEYS)
      proxy.mode = mode
      for (let read = 0; read < READS_LAME; read++) {
        expectFresh(await server.read(KEYS, VIEWS, PATIENT_MS))
      }
      await server.kill()
      proxy.stop()
    },
    TEST_MS_MAX,
  )

  test(
    'is away at the start begins all the same, and answers when it comes',
    async () => {
      const proxy = startFaultProxy(url)
      proxy.mode = MODE.refuse
      const server = await WatchedServer.start(proxy.url)
      const read = await server.read(KEYS, ['plain'], DEADLINE_MS)
      expect(read.statuses).toEqual({ plain: all('LATE') })
      await server.untilWarned(true)
      await server.load(url, KEYS)
      proxy.mode = MODE.pass
      await expectRecovery(server)
      await server.kill()
      proxy.stop()
    },
    TEST_MS_MAX,
  )

  test(
    'lacks the table of one view answers for the others, and for it when it is there',
    async () => {
      const server = await WatchedServer.start(url)
      await server.load(url, KEYS)
      await server.dropTable(url, 'plain')
      const read = await server.read(KEYS, VIEWS, DEADLINE_MS)
      expect(read.statuses).toEqual({
        plain: all('LATE'),
        kept: all('PRESENT'),
        lasting: all('PRESENT'),
      })
      const [warning] = await server.untilWarned(true)
      expect(warning).toContain(server.tableOf('plain'))
      await server.loadTable(url, 'plain', KEYS)
      await expectWhole(server)
      await server.kill()
    },
    TEST_MS_MAX,
  )

  test(
    'is killed answers what it has, says what it has not, and is whole again when it is back',
    async () => {
      const dynamo = await ownDynamo()
      const server = await WatchedServer.start(dynamo.url)
      await server.load(dynamo.url, KEYS)
      expectFresh(await server.read(KEYS, VIEWS, PATIENT_MS))
      expect(await server.warnings()).toEqual([])

      await dynamo.kill()
      await expectDegraded(server)
      const [warning] = await server.untilWarned(true)
      expect(warning).toContain('DynamoDB')
      expect(await server.counted('calls_unavailable')).toBeGreaterThan(0)

      const again = await ownDynamo(dynamo.port)
      await server.load(again.url, KEYS)
      await expectRecovery(server)
      await again.stop()
    },
    TEST_MS_MAX,
  )
})
