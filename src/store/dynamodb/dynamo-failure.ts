/** Why a call of DynamoDB gave no answer, as far as what to do next depends on it. */

/**
 * `throttled`: slower, please. `unavailable`: no answer, or one that says try again (5xx, a connection
 * refused, a call past its time). `condition`: a conditional write met another item. `refused`: the
 * same call will be refused again (a table that is not there, no permission, a bad request).
 */
export type FailureKind = 'throttled' | 'unavailable' | 'condition' | 'refused'

export class DynamoFailure extends Error {
  readonly kind: FailureKind
  /** DynamoDB's exception name without its namespace, such as ResourceNotFoundException; '' for none. */
  readonly exception: string
  /** The body that came, for what it holds beside the message (the old item); empty for none. */
  readonly body: Uint8Array

  constructor(kind: FailureKind, exception: string, message: string, body: Uint8Array) {
    super(message)
    this.name = 'DynamoFailure'
    this.kind = kind
    this.exception = exception
    this.body = body
  }
}
