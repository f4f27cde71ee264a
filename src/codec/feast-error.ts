/** Refusals on Feast's path as its server writes them: double-encoded JSON, texts, validation details. */
import type { FaultCode } from '../base/fault.ts'
import { Fault } from '../base/fault.ts'
import { utf8Encoder } from '../base/utf8.ts'
import { FeastFault } from '../query/feast-fault.ts'
import type { PythonValue } from './python-json.ts'
import { PythonParseError, pythonJsonText } from './python-json.ts'
import { asciiJson } from './python-text.ts'

export type FeastReply = {
  readonly status: number
  readonly contentType: string
  readonly body: Uint8Array
  /** Cells that the store could not give in time: NOT_FOUND to a Feast client. */
  readonly lateCells: number
  /** Rows that are copies older than their view allows, given because the store failed. */
  readonly staleRows: number
}

/** A place in the body, from the outside in. */
export type Location = readonly (string | number)[]

/** One finding of the request's validation, as pydantic words it. */
export type Finding = {
  readonly type: string
  readonly loc: Location
  readonly msg: string
  readonly input: PythonValue
  readonly ctx?: PythonValue
}

/** The body is not a request: FastAPI refuses it before Feast sees it. */
export class FeastInvalid extends Error {
  readonly detail: string

  /** Throws a PythonParseError where an input is nested too deeply to be shown. */
  constructor(findings: readonly Finding[]) {
    super('invalid request')
    this.detail = pythonJsonText({ detail: findings.map((finding) => ({ ...finding })) })
  }
}

/** FastAPI's whole answer to bytes that Python's decoder gives up on. */
const UNREADABLE = '{"detail":"There was an error parsing the body"}'

const jsonReply = (status: number, text: string): FeastReply => ({
  status,
  contentType: 'application/json',
  body: utf8Encoder.encode(text),
  lateCells: 0,
  staleRows: 0,
})

/** Undefined for an error that is no refusal, but a fault of ours. */
export function refusalReply(error: unknown): FeastReply | undefined {
  if (error instanceof FeastInvalid) return jsonReply(422, error.detail)
  if (error instanceof PythonParseError) return jsonReply(400, UNREADABLE)
  if (error instanceof FeastFault) return jsonReply(error.status, faultText(error))
  if (error instanceof Fault) return jsonReply(statusOf(error.code), textOf(error))
  return undefined
}

/** Feast's own errors are JSON inside a JSON string: its remote client parses exactly this. */
function faultText({ className, message }: FeastFault): string {
  if (className === '') return JSON.stringify(message)
  const inner =
    `{"module": "feast.errors", "class": ${asciiJson(className)}, ` +
    `"message": ${asciiJson(message)}}`
  return JSON.stringify(inner)
}

/** For what only Salver refuses. Feast's remote client sends a 500 or 503 again, and no other. */
function statusOf(code: FaultCode): number {
  switch (code) {
    case 'invalid_entity':
    case 'invalid_request':
      return 422
    case 'too_large':
      return 413
    case 'overloaded':
    case 'unavailable':
      return 503
    default:
      return 500
  }
}

function textOf({ message, where, allowed }: Fault): string {
  const place = where === undefined ? '' : ` (${where})`
  return JSON.stringify(`${message}${place}${allowed === undefined ? '' : `; allowed: ${allowed}`}`)
}
