/** What can go wrong for a caller of the client, with a code to branch on. */

export type ClientErrorCode =
  | 'corrupt_reply' // the bytes are not what the format says
  | 'schema_needed' // the reply left out a schema that the reader has never seen
  | 'unknown_column' // a view or feature that the reply does not have
  | 'not_a_matrix' // a matrix was asked of a block that has rows, or the other way about
  | 'invalid_query' // a query that can't be sent
  | 'refused' // the server answered with a fault: see `fault`
  | 'unreachable' // no connection, or one that broke
  | 'timed_out' // no whole reply in time

/** A fault as the server tells it. `code` is one of the server's list. */
export type ServerFault = {
  readonly status: number
  readonly code: string
  readonly where: string
  readonly allowed: string
}

export class ClientError extends Error {
  readonly code: ClientErrorCode
  /** Only with `refused`. */
  readonly fault: ServerFault | undefined

  constructor(
    code: ClientErrorCode,
    message: string,
    detail: { readonly fault?: ServerFault; readonly cause?: unknown } = {},
  ) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause })
    this.name = 'ClientError'
    this.code = code
    this.fault = detail.fault
  }
}

export const corrupt = (what: string): ClientError =>
  new ClientError('corrupt_reply', `the reply is corrupt: ${what}`)
