/** What a fault looks like over HTTP: the only place that turns codes into statuses. */
import type { Fault, FaultCode } from '../base/fault.ts'
import { RETRY_AFTER_SECONDS } from '../base/limits.ts'
import { feastNotServed } from './feast-not-served.ts'
import { jsonResponse } from './json-response.ts'

const STATUSES: Readonly<Record<FaultCode, number>> = {
  usage: 500,
  catalog_invalid: 500,
  malformed: 400,
  invalid_request: 400,
  unknown_view: 404,
  unknown_feature: 404,
  unknown_service: 404,
  not_served: 422,
  missing_entity: 422,
  invalid_entity: 422,
  invalid_row: 422,
  too_large: 413,
  unsupported_type: 415,
  too_slow: 408,
  unauthorized: 401,
  read_only: 403,
  overloaded: 503,
  unavailable: 503,
  store_locked: 503,
  store_damaged: 500,
  store_full: 507,
  disk_full: 507,
  write_failed: 503,
  source_invalid: 422,
}

export const FAULT_CODES = Object.freeze(Object.keys(STATUSES)) as readonly FaultCode[]

/** A refused body may still be on its way: the connection can't carry another request. */
const CLOSES: ReadonlySet<FaultCode> = new Set<FaultCode>(['too_large', 'too_slow', 'overloaded'])

export function faultResponse(fault: Fault): Response {
  const { code, message, where, allowed } = fault
  const response = jsonResponse({ error: { code, message, where, allowed } }, STATUSES[code])
  if (CLOSES.has(code)) response.headers.set('connection', 'close')
  if (STATUSES[code] === 503) response.headers.set('retry-after', String(RETRY_AFTER_SECONDS))
  if (code === 'unauthorized') response.headers.set('www-authenticate', 'Bearer')
  return response
}

/** A failure of ours: the client gets an id, the log the rest. */
export const internalResponse = (id: string): Response =>
  errorResponse(500, 'internal', `unexpected failure; the server's log has it under ${id}`)

export function notFoundResponse(path: string): Response {
  const notServed = feastNotServed(path)
  if (notServed !== undefined) return jsonResponse({ detail: notServed }, 404)
  return isNative(path)
    ? errorResponse(404, 'not_found', `there is no ${path}`)
    : detailResponse(404)
}

export function methodResponse(path: string, allowed: string): Response {
  const response = isNative(path)
    ? errorResponse(405, 'method_not_allowed', `${path} is asked by ${allowed}`)
    : detailResponse(405)
  response.headers.set('allow', allowed)
  return response
}

/** As Feast does with a slash too many: the method and the body are to be sent again. */
export const redirectResponse = (location: string): Response =>
  new Response(null, { status: 307, headers: { location } })

/** Feast has routes of its own under /v1: those answer as Feast does. */
const isNative = (path: string): boolean =>
  path.startsWith('/v1/') && !path.startsWith('/v1/vector_stores')

const errorResponse = (status: number, code: string, message: string): Response =>
  jsonResponse({ error: { code, message } }, status)

const DETAILS = { 404: 'Not Found', 405: 'Method Not Allowed' } as const

const detailResponse = (status: keyof typeof DETAILS): Response =>
  jsonResponse({ detail: DETAILS[status] }, status)
