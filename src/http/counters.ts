/**
 * What a serving thread counts, as numbers at fixed places of shared memory: one add each on the hot
 * path, and any thread can sum what all of them counted (metrics-text.ts).
 */
import type { FaultCode } from '../base/fault.ts'
import type { Answer } from '../query/query.ts'
import { OUTCOME_NAMES } from '../row/order-rule.ts'
import { FAILED } from '../store/read-batch.ts'
import { FAULT_CODES } from './fault-response.ts'
import type { WriteCall, WriteReply } from './write-lane.ts'

export const ROUTES = [
  '/get-online-features',
  '/v1/features',
  '/v1/write',
  '/v1/catalog',
  '/health',
  '/ready',
  '/metrics',
  'other',
] as const
export type Route = (typeof ROUTES)[number]

/** Statuses counted by name; any other counts as the last. 499: the client went away. */
export const STATUSES = [
  200, 307, 400, 401, 403, 404, 405, 408, 413, 415, 422, 499, 500, 503, 507, 0,
] as const

/** Upper bounds of the latency buckets, in milliseconds: a hot read takes tens of microseconds. */
export const LATENCY_MS = [
  0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000,
] as const

export const LANES = ['direct', 'batch'] as const
/** Those of an answer, and apart from late what an answer calls LATE too: see ROW_UNREADABLE. */
export const ROW_STATES = ['present', 'not_found', 'outside_max_age', 'late', 'unreadable'] as const
/** Not read, however long one waits: the store holds it damaged. */
export const ROW_UNREADABLE = ROW_STATES.indexOf('unreadable')

/** Counters without a label. */
export const EVENT = {
  requestsStarted: 0,
  /** Refused because too many were under way. */
  requestsShed: 1,
  failuresUnexpected: 2,
  entitiesAsked: 3,
  cellsAsked: 4,
  cellsLate: 5,
  replyBytes: 6,
  rowsStale: 7,
} as const
type CountedEvent = (typeof EVENT)[keyof typeof EVENT]

const BUCKETS = LATENCY_MS.length + 1

const statusPlace = new Uint8Array(600).fill(STATUSES.length - 1)
STATUSES.forEach((status, place) => (statusPlace[status] = place))

/** Where each family of counters starts. */
const REQUESTS_AT = 0
const LATENCY_AT = REQUESTS_AT + ROUTES.length * STATUSES.length
const LATENCY_SUM_AT = LATENCY_AT + ROUTES.length * BUCKETS
const ROWS_AT = LATENCY_SUM_AT + ROUTES.length
const OUTCOMES_AT = ROWS_AT + ROW_STATES.length
const WRITTEN_AT = OUTCOMES_AT + LANES.length * OUTCOME_NAMES.length
const FAULTS_AT = WRITTEN_AT + LANES.length
const EVENTS_AT = FAULTS_AT + FAULT_CODES.length
const COUNT = EVENTS_AT + Object.keys(EVENT).length

export class Counters {
  readonly #counts: Float64Array

  /** `shared` is another thread's memory, to sum it; without it the counters are this thread's own. */
  constructor(readonly shared: SharedArrayBuffer = new SharedArrayBuffer(8 * COUNT)) {
    this.#counts = new Float64Array(shared)
  }

  countRequest(route: number, status: number, ms: number): void {
    const counts = this.#counts
    counts[REQUESTS_AT + route * STATUSES.length + (statusPlace[status] ?? STATUSES.length - 1)]!++
    let bucket = 0
    while (bucket < LATENCY_MS.length && ms > LATENCY_MS[bucket]!) bucket++
    counts[LATENCY_AT + route * BUCKETS + bucket]!++
    counts[LATENCY_SUM_AT + route]! += ms
  }

  countAnswer(answer: Answer): void {
    const counts = this.#counts
    const states = answer.rowStates
    const keys = answer.batch.count
    const reads = answer.batch.states
    for (let place = 0; place < keys; place++) {
      const isUnreadable = reads[place] === FAILED
      counts[ROWS_AT + (isUnreadable ? ROW_UNREADABLE : states[place]!)]!++
    }
    this.add(EVENT.entitiesAsked, answer.rows)
    this.add(EVENT.cellsAsked, answer.rows * answer.plan.featureCount)
    this.add(EVENT.cellsLate, answer.lateCells)
    this.add(EVENT.rowsStale, answer.staleRows)
  }

  countWrite(lane: WriteCall['lane'], reply: WriteReply): void {
    const at = LANES.indexOf(lane)
    OUTCOME_NAMES.forEach((name, place) => {
      this.#counts[OUTCOMES_AT + at * OUTCOME_NAMES.length + place]! += reply.counts[name]
    })
    this.#counts[WRITTEN_AT + at]! += reply.bytesWritten
  }

  countFault(code: FaultCode): void {
    this.#counts[FAULTS_AT + FAULT_CODES.indexOf(code)]!++
  }

  add(event: CountedEvent, by: number): void {
    this.#counts[EVENTS_AT + event]! += by
  }

  requests(route: number, status: number): number {
    return this.#counts[REQUESTS_AT + route * STATUSES.length + status]!
  }
  /** Requests of the bucket alone, not of those below it; the last is "longer than all bounds". */
  latency(route: number, bucket: number): number {
    return this.#counts[LATENCY_AT + route * BUCKETS + bucket]!
  }
  latencySumMs(route: number): number {
    return this.#counts[LATENCY_SUM_AT + route]!
  }
  rows(state: number): number {
    return this.#counts[ROWS_AT + state]!
  }
  outcomes(lane: number, outcome: number): number {
    return this.#counts[OUTCOMES_AT + lane * OUTCOME_NAMES.length + outcome]!
  }
  bytesWritten(lane: number): number {
    return this.#counts[WRITTEN_AT + lane]!
  }
  faults(code: number): number {
    return this.#counts[FAULTS_AT + code]!
  }
  events(event: CountedEvent): number {
    return this.#counts[EVENTS_AT + event]!
  }
}
