/** The text of GET /metrics: what all threads counted, summed when it is asked for. */
import { readdirSync } from 'node:fs'
import type { Metric } from 'prom-client'
import { Counter, Gauge, Registry } from 'prom-client'
import type { Catalog } from '../catalog/catalog.ts'
import { OUTCOME_NAMES } from '../row/order-rule.ts'
import type { StoreStats } from '../store/store.ts'
import type { Counters } from './counters.ts'
import { EVENT, LANES, LATENCY_MS, ROUTES, ROW_STATES, STATUSES } from './counters.ts'
import { FAULT_CODES } from './fault-response.ts'
import type { RemoteFigures } from './remote-figures.ts'

/** What is told beside the counters. */
export type Vitals = {
  readonly version: string
  /** Undefined where the store did not answer in time. */
  readonly store: StoreStats | undefined
  /** Of a store that is asked over the network. */
  readonly remote: RemoteFigures | undefined
  readonly catalog: Catalog
  readonly catalogGeneration: number
  readonly catalogFaults: number
  readonly isReady: boolean
}

export const METRICS_TYPE = Registry.PROMETHEUS_CONTENT_TYPE

export function metricsText(threads: readonly Counters[], vitals: Vitals): Promise<string> {
  const registry = new Registry()
  addRequests(registry, threads)
  addReads(registry, threads)
  addWrites(registry, threads)
  addCatalog(registry, vitals)
  if (vitals.remote !== undefined) addRemote(registry, vitals.remote, vitals.store)
  else if (vitals.store !== undefined) addStore(registry, vitals.store)
  addProcess(registry, vitals)
  return registry.metrics()
}

type Naming = { readonly name: string; readonly help: string }

const sum = (threads: readonly Counters[], of: (one: Counters) => number): number =>
  threads.reduce((total, one) => total + of(one), 0)

function addRequests(registry: Registry, threads: readonly Counters[]): void {
  const requests = labelled(registry, ['route', 'status'], {
    name: 'salver_requests_total',
    help: 'Requests answered',
  })
  ROUTES.forEach((route, at) => {
    STATUSES.forEach((status, place) => {
      const count = sum(threads, (one) => one.requests(at, place))
      if (count > 0) requests.inc({ route, status: status === 0 ? 'other' : status }, count)
    })
  })
  const answered = sum(threads, (one) => countAll(one))
  gauge(registry, sum(threads, (one) => one.events(EVENT.requestsStarted)) - answered, {
    name: 'salver_requests_in_flight',
    help: 'Requests being answered',
  })
  counter(
    registry,
    sum(threads, (one) => one.events(EVENT.requestsShed)),
    {
      name: 'salver_requests_shed_total',
      help: 'Requests refused because too many were under way',
    },
  )
  counter(
    registry,
    sum(threads, (one) => one.events(EVENT.failuresUnexpected)),
    {
      name: 'salver_unexpected_failures_total',
      help: 'Answers 500 that no fault explains: the log has each',
    },
  )
  const faults = labelled(registry, ['code'], {
    name: 'salver_faults_total',
    help: 'Requests refused or failed, by the code of the fault',
  })
  FAULT_CODES.forEach((code, at) => {
    const count = sum(threads, (one) => one.faults(at))
    if (count > 0) faults.inc({ code }, count)
  })
  registry.registerMetric(latencyMetric(threads))
}

function countAll(one: Counters): number {
  let count = 0
  for (let route = 0; route < ROUTES.length; route++) {
    for (let status = 0; status < STATUSES.length; status++) count += one.requests(route, status)
  }
  return count
}

/** prom-client's own Histogram can't be filled from counts; a registry asks a metric for no more. */
function latencyMetric(threads: readonly Counters[]): Metric {
  const name = 'salver_request_seconds'
  const help = 'From a request arriving at its handler to its answer being handed over'
  const values = ROUTES.flatMap((route, at) => latencyValues(threads, route, at, name))
  const metric = { name, get: async () => ({ name, help, type: 'histogram', values }) }
  return metric as unknown as Metric
}

function latencyValues(threads: readonly Counters[], route: string, at: number, name: string) {
  let below = 0
  const values = [...LATENCY_MS, Infinity].map((boundMs, bucket) => {
    below += sum(threads, (one) => one.latency(at, bucket))
    const le = boundMs === Infinity ? '+Inf' : boundMs / 1000
    return { metricName: `${name}_bucket`, labels: { route, le }, value: below }
  })
  if (below === 0) return []
  const seconds = sum(threads, (one) => one.latencySumMs(at)) / 1000
  return [
    ...values,
    { metricName: `${name}_sum`, labels: { route }, value: seconds },
    { metricName: `${name}_count`, labels: { route }, value: below },
  ]
}

function addReads(registry: Registry, threads: readonly Counters[]): void {
  const total = (event: (typeof EVENT)[keyof typeof EVENT]): number =>
    sum(threads, (one) => one.events(event))
  counter(registry, total(EVENT.entitiesAsked), {
    name: 'salver_entities_total',
    help: 'Rows of read requests',
  })
  counter(registry, total(EVENT.cellsAsked), {
    name: 'salver_cells_total',
    help: 'Values asked for: rows times features',
  })
  counter(registry, total(EVENT.cellsLate), {
    name: 'salver_late_cells_total',
    help: 'Values answered as LATE: not read by the deadline, or not readable',
  })
  counter(registry, total(EVENT.rowsStale), {
    name: 'salver_stale_rows_total',
    help: 'Rows answered from copies past their bound because the store failed',
  })
  counter(registry, total(EVENT.replyBytes), {
    name: 'salver_reply_bytes_total',
    help: 'Bytes of answered reads',
  })
  const rows = labelled(registry, ['outcome'], {
    name: 'salver_row_reads_total',
    help: 'Rows looked up, by what was found',
  })
  ROW_STATES.forEach((outcome, state) =>
    rows.inc(
      { outcome },
      sum(threads, (one) => one.rows(state)),
    ),
  )
}

function addWrites(registry: Registry, threads: readonly Counters[]): void {
  const rows = labelled(registry, ['lane', 'outcome'], {
    name: 'salver_row_writes_total',
    help: 'Rows written, by lane and outcome',
  })
  const bytes = labelled(registry, ['lane'], {
    name: 'salver_write_bytes_total',
    help: 'Bytes appended to the store',
  })
  LANES.forEach((lane, at) => {
    bytes.inc(
      { lane },
      sum(threads, (one) => one.bytesWritten(at)),
    )
    OUTCOME_NAMES.forEach((outcome, place) => {
      rows.inc(
        { lane, outcome },
        sum(threads, (one) => one.outcomes(at, place)),
      )
    })
  })
}

function addCatalog(registry: Registry, vitals: Vitals): void {
  gauge(registry, vitals.catalogGeneration, {
    name: 'salver_catalog_generation',
    help: 'Catalogs taken into use since the start',
  })
  counter(registry, vitals.catalogFaults, {
    name: 'salver_catalog_faults_total',
    help: 'Changed definitions that were refused; the ones before stay in force',
  })
  gauge(registry, vitals.catalog.views.length, {
    name: 'salver_catalog_views',
    help: 'Feature views served',
  })
  gauge(registry, vitals.catalog.notServed.length, {
    name: 'salver_catalog_not_served',
    help: 'Objects of the definitions that are not served',
  })
}

function addStore(registry: Registry, store: StoreStats): void {
  const rows = new Gauge({
    name: 'salver_store_rows',
    help: 'Current rows of a table',
    labelNames: ['table'],
    registers: [registry],
  })
  for (const table of store.tables) rows.set({ table: table.name }, table.rows)
  const sizes: readonly (readonly [string, string, number])[] = [
    ['salver_store_tombstones', 'Deletes that still block older writes', store.tombstones],
    ['salver_store_disk_bytes', 'Bytes on disk', store.diskBytes],
    ['salver_store_live_bytes', 'Bytes on disk that current rows need', store.liveBytes],
    ['salver_store_segments', 'Segment files', store.segments],
    ['salver_store_index_bytes', 'Memory of the index', store.indexBytes],
    ['salver_store_sequence', 'Last sequence number given out', store.lastSequence],
  ]
  for (const [name, help, value] of sizes) gauge(registry, value, { name, help })
  addStoreCounters(registry, store.counters)
}

function addRemote(
  registry: Registry,
  remote: RemoteFigures,
  writing: StoreStats | undefined,
): void {
  const events = labelled(registry, ['event'], {
    name: 'salver_remote_events_total',
    help: 'What was asked of the remote store, what became of it, and what kept rows spared',
  })
  const counted = { ...remote.counters, ...writing?.counters }
  for (const [name, count] of Object.entries(counted)) events.inc({ event: snakeCase(name) }, count)
  const figures = labelledGauge(registry, ['figure'], {
    name: 'salver_remote',
    help: 'Calls under way, keys that wait, and rows kept, now',
  })
  for (const [name, value] of Object.entries(remote.gauges)) {
    figures.set({ figure: snakeCase(name) }, value)
  }
}

/** Figures of now that the store tells among its counters: they go down too. */
const STORE_QUEUES: ReadonlyMap<string, string> = new Map([
  ['queuedDirect', 'direct'],
  ['queuedStream', 'stream'],
  ['queuedBatch', 'batch'],
])
const STORE_UNCHECKED = 'segmentsUnchecked'

function addStoreCounters(registry: Registry, counters: StoreStats['counters']): void {
  const queued = labelledGauge(registry, ['lane'], {
    name: 'salver_store_queued',
    help: 'Writes that wait for the writer',
  })
  const events = labelled(registry, ['event'], {
    name: 'salver_store_events_total',
    help: 'What the store did, counted',
  })
  for (const [name, count] of Object.entries(counters)) {
    const lane = STORE_QUEUES.get(name)
    if (lane !== undefined) queued.set({ lane }, count)
    else if (name !== STORE_UNCHECKED) events.inc({ event: snakeCase(name) }, count)
  }
  const unchecked = counters[STORE_UNCHECKED]
  if (unchecked === undefined) return
  gauge(registry, unchecked, {
    name: 'salver_store_segments_unchecked',
    help: 'Segments whose entries are still checked at each read',
  })
}

const snakeCase = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** Not prom-client's own set: under Bun most of that reads zero. */
function addProcess(registry: Registry, vitals: Vitals): void {
  const { user, system } = process.cpuUsage()
  counter(registry, (user + system) / 1e6, {
    name: 'process_cpu_seconds_total',
    help: 'CPU time of all threads',
  })
  const memory = process.memoryUsage()
  gauge(registry, memory.rss, {
    name: 'process_resident_memory_bytes',
    help: 'Resident memory, mapped segments among it',
  })
  gauge(registry, memory.heapUsed, {
    name: 'salver_heap_bytes',
    help: 'JavaScript heap of the answering thread',
  })
  gauge(registry, Math.round(performance.timeOrigin) / 1000, {
    name: 'process_start_time_seconds',
    help: 'Start of the process',
  })
  const files = openFiles()
  if (files !== undefined) {
    gauge(registry, files, { name: 'process_open_fds', help: 'Open file descriptors' })
  }
  gauge(registry, vitals.isReady ? 1 : 0, { name: 'salver_ready', help: '1 while /ready is 200' })
  labelledGauge(registry, ['version'], { name: 'salver_build', help: 'Always 1' }).set(
    { version: vitals.version },
    1,
  )
}

/** Undefined where the system has no /proc. */
function openFiles(): number | undefined {
  try {
    return readdirSync('/proc/self/fd').length
  } catch {
    return undefined
  }
}

function counter(registry: Registry, value: number, naming: Naming): void {
  new Counter({ ...naming, registers: [registry] }).inc(value)
}

function gauge(registry: Registry, value: number, naming: Naming): void {
  new Gauge({ ...naming, registers: [registry] }).set(value)
}

const labelled = <L extends string>(registry: Registry, labelNames: L[], naming: Naming) =>
  new Counter({ ...naming, labelNames, registers: [registry] })

const labelledGauge = <L extends string>(registry: Registry, labelNames: L[], naming: Naming) =>
  new Gauge({ ...naming, labelNames, registers: [registry] })
