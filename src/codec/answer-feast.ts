/** POST /get-online-features from body to body: what Feast's server answers, from a store of ours. */
import { CELLS_PER_REQUEST_MAX, ENTITIES_PER_REQUEST_MAX } from '../base/limits.ts'
import { Fault } from '../base/fault.ts'
import type { Catalog, PlainValue } from '../catalog/catalog.ts'
import type { Answerer } from '../query/answerer.ts'
import { plainFault } from '../query/feast-fault.ts'
import type { FeastAsk, FeastPlan } from '../query/feast-plan.ts'
import type { PlanCache } from '../query/plan-cache.ts'
import type { Answer, Query } from '../query/query.ts'
import { convertColumn } from './feast-convert.ts'
import type { FeastReply } from './feast-error.ts'
import { refusalReply } from './feast-error.ts'
import type { EchoColumn } from './feast-reply.ts'
import { FeastReplyEncoder } from './feast-reply.ts'
import type { FeastRequest } from './feast-request.ts'
import { parseFeastRequest } from './feast-request.ts'

export type FeastCall = {
  readonly body: Uint8Array
  /** '' where the request has none. */
  readonly contentType: string
  /** Milliseconds from now, or Infinity. */
  readonly deadlineMs: number
  /** Aborted when nobody waits for the answer any more. */
  readonly gone?: AbortSignal
}

export type FeastParts = {
  readonly catalog: Catalog
  readonly plans: PlanCache<FeastAsk, FeastPlan>
  readonly answerer: Answerer
  readonly enforceTtl: boolean
}

/** Encodings never overlap: one serves every request of the thread. */
const encoder = new FeastReplyEncoder()

/** Every refusal is a reply. Throws, or rejects, only for faults of ours. */
export function answerFeast(call: FeastCall, parts: FeastParts): FeastReply | Promise<FeastReply> {
  try {
    const reply = answerCall(call, parts)
    return reply instanceof Promise ? reply.catch(refusedOr) : reply
  } catch (error) {
    return refusedOr(error)
  }
}

function refusedOr(error: unknown): FeastReply {
  const refusal = refusalReply(error)
  if (refusal === undefined) throw error
  return refusal
}

function answerCall(call: FeastCall, parts: FeastParts): FeastReply | Promise<FeastReply> {
  const request = parseFeastRequest(call.body, call.contentType)
  const plan = parts.plans.planFor(parts.catalog, request)
  const columns = plan.inputs.map(({ source, type }) =>
    convertColumn(request.values[source]!, type),
  )
  const rows = rowsOf(request)
  assertAnswerable(plan, columns, rows)
  const query = queryOf(plan, columns, call.deadlineMs)
  const echoes = plan.echoes.map(({ source, input }): EchoColumn =>
    input === -1 ? { untouched: request.values[source]! } : { typed: columns[input]! },
  )
  const { enforceTtl } = parts
  const { versionMetadata } = request
  const encode = (answer: Answer): FeastReply => ({
    status: 200,
    contentType: 'application/json',
    body: encoder.encode({ plan, answer, rows, echoes, enforceTtl, versionMetadata }),
    lateCells: answer.lateCells,
    staleRows: answer.staleRows,
  })
  return parts.answerer.answer(plan.plan, query, encode, call.gone)
}

/** Feast demands one length of all columns, also of those that it does not look at. */
function rowsOf({ values }: FeastRequest): number {
  const rows = values[0]?.length
  if (rows === undefined) throw plainFault("'pop from an empty set'")
  if (values.some((column) => column.length !== rows)) {
    throw plainFault('All entity rows must have the same columns.')
  }
  return rows
}

function assertAnswerable(
  plan: FeastPlan,
  columns: readonly (readonly PlainValue[])[],
  rows: number,
): void {
  if (plan.missingKeys !== '') throw plainFault(plan.missingKeys)
  if (rows === 0) throw plainFault(plan.noRows)
  const cells = rows * (plan.names.length + plan.echoes.length)
  if (rows > ENTITIES_PER_REQUEST_MAX || cells > CELLS_PER_REQUEST_MAX) {
    throw new Fault('too_large', `${rows} rows and ${cells} values are asked for in one request`, {
      where: 'entities',
      allowed: `at most ${ENTITIES_PER_REQUEST_MAX} rows and ${CELLS_PER_REQUEST_MAX} values`,
    })
  }
  if (columns.some((values) => values.includes(null))) {
    throw plainFault("attribute name must be string, not 'NoneType'")
  }
}

const queryOf = (
  plan: FeastPlan,
  columns: readonly (readonly PlainValue[])[],
  deadlineMs: number,
): Query => ({
  service: '',
  references: [],
  columns: plan.inputs.map(({ name }, place) => ({ name, values: columns[place]! })),
  fill: 'null',
  statuses: true,
  eventTimes: true,
  form: 'rows',
  deadlineMs,
})
