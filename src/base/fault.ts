/**
 * The closed list of what can go wrong. A code says what the caller did, or what the machine did;
 * `where` says the place (a file and line, a flag, a JSON path, a byte offset), `allowed` what would
 * have been accepted. HTTP statuses and exit codes are derived from the code, nowhere else.
 */
export type FaultCode =
  | 'usage' // command line, environment or config file
  | 'catalog_invalid' // definitions can't be read; `faults` lists every one
  | 'malformed' // bytes that are not what their content type says
  | 'invalid_request' // well-formed, but not a request
  | 'unknown_view'
  | 'unknown_feature'
  | 'unknown_service'
  | 'not_served' // known, and on purpose not served here
  | 'missing_entity' // a join key has no column
  | 'invalid_entity' // an entity value can't be of the key's type
  | 'invalid_row' // a row to be written that does not fit its view
  | 'too_large' // beyond a bound of limits.ts
  | 'unsupported_type' // content type or accept
  | 'too_slow' // a body that did not arrive in time
  | 'unauthorized'
  | 'read_only'
  | 'overloaded' // a bounded queue is full: try again
  | 'unavailable' // the store can't answer now
  | 'store_locked'
  | 'store_damaged'
  | 'store_full' // the address space of the log is used up
  | 'disk_full'
  | 'write_failed'
  | 'source_invalid' // a file to ingest can't be read as what it says it is

export class Fault extends Error {
  readonly code: FaultCode
  readonly where: string | undefined
  readonly allowed: string | undefined
  /** All the faults where there are many (a catalog); their `message`s are whole sentences. */
  readonly faults: readonly Fault[]

  constructor(
    code: FaultCode,
    message: string,
    detail: {
      readonly where?: string | undefined
      readonly allowed?: string | undefined
      readonly faults?: readonly Fault[]
      readonly cause?: unknown
    } = {},
  ) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause })
    this.name = 'Fault'
    this.code = code
    this.where = detail.where
    this.allowed = detail.allowed
    this.faults = detail.faults ?? []
  }
}
