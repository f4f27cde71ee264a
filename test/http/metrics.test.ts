import { expect, test } from 'bun:test'
import { Counters, EVENT, ROUTES } from '../../src/http/counters.ts'
import type { Vitals } from '../../src/http/metrics-text.ts'
import { metricsText } from '../../src/http/metrics-text.ts'
import { smallCatalog } from '../query/small-catalog.ts'

const VITALS: Vitals = {
  version: '1.2.3',
  catalog: smallCatalog([]),
  catalogGeneration: 2,
  catalogFaults: 1,
  isReady: true,
  remote: undefined,
  store: {
    rows: 5,
    tombstones: 1,
    tables: [{ table: 1, name: 'airport', keySignature: 'a:STRING', rows: 5 }],
    diskBytes: 4096,
    liveBytes: 1024,
    segments: 1,
    indexBytes: 512,
    lastSequence: 6,
    counters: {
      groups: 3,
      damagesFound: 2,
      segmentsUnchecked: 4,
      queuedDirect: 7,
      queuedStream: 0,
      queuedBatch: 9,
    },
  },
}

const COUNTS = {
  new: 2,
  changed: 0,
  unchanged: 0,
  touched: 0,
  refreshed: 0,
  older: 1,
  rejected: 0,
  deleted: 0,
}

/** Value of each sample by its text before the last space. */
async function samplesOf(threads: readonly Counters[], vitals = VITALS) {
  const lines = (await metricsText(threads, vitals)).split('\n')
  const samples = lines.filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(
    samples.map((line): [string, number] => {
      const space = line.lastIndexOf(' ')
      return [line.slice(0, space), Number(line.slice(space + 1))]
    }),
  )
}

test('what every thread counted is one sum', async () => {
  const threads = [new Counters(), new Counters()]
  const features = ROUTES.indexOf('/v1/features')
  threads[0]!.countRequest(features, 200, 0.07)
  threads[1]!.countRequest(features, 200, 3)
  threads[1]!.countRequest(features, 200, 60_000)
  threads[1]!.countRequest(features, 418, 1)
  threads[0]!.countWrite('batch', {
    read: 3,
    counts: COUNTS,
    outcomes: new Uint8Array(3),
    rejected: [],
    bytesWritten: 96,
  })
  threads[1]!.countFault('too_large')
  threads[0]!.add(EVENT.entitiesAsked, 100)
  const samples = await samplesOf(threads)
  const route = 'route="/v1/features"'
  expect(samples.get(`salver_requests_total{${route},status="200"}`)).toBe(3)
  expect(samples.get(`salver_requests_total{${route},status="other"}`)).toBe(1)
  expect(samples.get(`salver_request_seconds_bucket{${route},le="0.00005"}`)).toBe(0)
  expect(samples.get(`salver_request_seconds_bucket{${route},le="0.0001"}`)).toBe(1)
  expect(samples.get(`salver_request_seconds_bucket{${route},le="10"}`)).toBe(3)
  expect(samples.get(`salver_request_seconds_bucket{${route},le="+Inf"}`)).toBe(4)
  expect(samples.get(`salver_request_seconds_count{${route}}`)).toBe(4)
  expect(samples.get('salver_row_writes_total{lane="batch",outcome="new"}')).toBe(2)
  expect(samples.get('salver_row_writes_total{lane="direct",outcome="new"}')).toBe(0)
  expect(samples.get('salver_write_bytes_total{lane="batch"}')).toBe(96)
  expect(samples.get('salver_faults_total{code="too_large"}')).toBe(1)
  expect(samples.get('salver_entities_total')).toBe(100)
})

test("another thread's counters are read from its memory", async () => {
  const own = new Counters()
  const other = new Counters(own.shared)
  own.countRequest(ROUTES.indexOf('/health'), 200, 1)
  expect(
    (await samplesOf([other])).get('salver_requests_total{route="/health",status="200"}'),
  ).toBe(1)
})

test('the store, the catalog and the process are told', async () => {
  const samples = await samplesOf([new Counters()])
  expect(samples.get('salver_store_rows{table="airport"}')).toBe(5)
  expect(samples.get('salver_store_events_total{event="groups"}')).toBe(3)
  expect(samples.get('salver_catalog_generation')).toBe(2)
  expect(samples.get('salver_catalog_faults_total')).toBe(1)
  expect(samples.get('salver_ready')).toBe(1)
  expect(samples.get('salver_build{version="1.2.3"}')).toBe(1)
  expect(samples.get('process_resident_memory_bytes')).toBeGreaterThan(1e6)
  expect(samples.get('process_cpu_seconds_total')).toBeGreaterThan(0)
})

test('what the store has waiting is a gauge, what it did a counter', async () => {
  const text = await metricsText([new Counters()], VITALS)
  expect(text).toContain('# TYPE salver_store_queued gauge')
  expect(text).toContain('# TYPE salver_store_segments_unchecked gauge')
  const samples = await samplesOf([new Counters()])
  const ofStore = [...samples].filter(([name]) =>
    /^salver_store_(queued|seg.*ed|events)/.test(name),
  )
  expect(Object.fromEntries(ofStore)).toEqual({
    'salver_store_queued{lane="direct"}': 7,
    'salver_store_queued{lane="stream"}': 0,
    'salver_store_queued{lane="batch"}': 9,
    salver_store_segments_unchecked: 4,
    'salver_store_events_total{event="groups"}': 3,
    'salver_store_events_total{event="damages_found"}': 2,
  })
})

test('a store that does not answer leaves its figures out, not the others', async () => {
  const samples = await samplesOf([new Counters()], { ...VITALS, store: undefined })
  expect([...samples.keys()].some((name) => name.startsWith('salver_store'))).toBe(false)
  expect(samples.get('salver_catalog_generation')).toBe(2)
})

test('a remote store is told by its own figures, and has none of the disk', async () => {
  const remote = { counters: { calls: 5, keysJoined: 2 }, gauges: { callsInFlight: 3 } }
  const writing = { ...VITALS.store!, counters: { putsThrottled: 4 } }
  const text = await metricsText([new Counters()], { ...VITALS, remote, store: writing })
  expect(text).toContain('salver_remote_events_total{event="keys_joined"} 2')
  expect(text).toContain('salver_remote_events_total{event="puts_throttled"} 4')
  expect(text).toContain('salver_remote{figure="calls_in_flight"} 3')
  expect(text).not.toContain('salver_store_disk_bytes')
})
