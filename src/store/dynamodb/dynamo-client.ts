/** One signed call of DynamoDB's JSON protocol after another: bytes out, bytes in. */

export type DynamoOperation =
  | 'BatchGetItem'
  | 'BatchWriteItem'
  | 'PutItem'
  | 'UpdateItem'
  | 'DeleteItem'
  | 'Scan'
  | 'DescribeTable'

export interface DynamoCalls {
  /**
   * Sends one call and resolves with the bytes of its reply. Rejects with a DynamoFailure: also when
   * `msMax` milliseconds pass (`unavailable`) or `signal` is aborted. Never tries again by itself.
   */
  call(
    operation: DynamoOperation,
    body: Uint8Array,
    msMax: number,
    signal?: AbortSignal,
  ): Promise<Uint8Array>
}
