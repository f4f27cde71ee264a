/** What a call that will be refused again is to whoever wrote: a Fault that says what to do. */
import { Fault } from '../../base/fault.ts'
import type { DynamoFailure } from './dynamo-failure.ts'

/** DynamoDB says so in words alone; the name of the exception is that of every bad request. */
export const isItemTooLarge = ({ kind, exception, message }: DynamoFailure): boolean =>
  kind === 'refused' && exception === 'ValidationException' && /item size/i.test(message)

/** What may be answered later stays a DynamoFailure. */
export function refusedFault(failure: DynamoFailure, table: string): DynamoFailure | Fault {
  if (failure.kind !== 'refused') return failure
  if (failure.exception === 'ResourceNotFoundException') {
    return new Fault('unavailable', `DynamoDB has no table ${table}`, {
      where: table,
      allowed: '`salver tables create`, or `feast apply`',
      cause: failure,
    })
  }
  return new Fault('unavailable', `DynamoDB refused a call: ${failure.message}`, {
    where: table,
    cause: failure,
  })
}
