/** One rare call about a table, made until it is answered; what is refused is a Fault. */
import { STORE_WRITE_CALL_MS_MAX } from '../../base/limits.ts'
import type { DynamoCalls, DynamoOperation } from './dynamo-client.ts'
import { DynamoFailure } from './dynamo-failure.ts'
import { refusedFault } from './write-fault.ts'
import type { WritePace } from './write-pace.ts'

export async function callFor(
  about: { readonly calls: DynamoCalls; readonly pace: WritePace; readonly name: string },
  operation: DynamoOperation,
  body: Uint8Array,
): Promise<Uint8Array> {
  let reply: Uint8Array = new Uint8Array(0)
  try {
    await about.pace.run(`calls about ${about.name}`, async () => {
      reply = await about.calls.call(operation, body, STORE_WRITE_CALL_MS_MAX)
      return 0
    })
  } catch (thrown) {
    throw thrown instanceof DynamoFailure ? refusedFault(thrown, about.name) : thrown
  }
  return reply
}
