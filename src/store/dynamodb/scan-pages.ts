/** Every page of a table, one after the other, as DynamoDB answers them. */
import { utf8Decoder } from '../../base/utf8.ts'
import { callFor } from './call-for.ts'
import type { DynamoCalls } from './dynamo-client.ts'
import { readMembers } from './item-replies.ts'
import { skipSpace, skipValue } from './json-bytes.ts'
import { makeWriteCounters } from './write-counters.ts'
import { WriteBodies } from './write-bodies.ts'
import { REAL_CLOCK, WritePace } from './write-pace.ts'

export type ScannedReply = { readonly reply: Uint8Array }

/** Of everything that was acknowledged before; what is written meanwhile may be in it or not. */
export async function* scanPages(calls: DynamoCalls, name: string): AsyncGenerator<ScannedReply> {
  const pace = new WritePace(REAL_CLOCK, 1, makeWriteCounters())
  let start: string | undefined
  do {
    const reply = await callFor({ calls, pace, name }, 'Scan', WriteBodies.scan(name, start))
    yield { reply }
    start = nextStart(reply)
  } while (start !== undefined)
}

/** Where the next page begins, as it stands in the reply; undefined after the last. */
export function nextStart(reply: Uint8Array): string | undefined {
  let next: string | undefined
  readMembers(reply, 0, (name, start) => {
    const end = skipValue(reply, start, 0)
    if (name === 'LastEvaluatedKey' && end >= 0) {
      next = utf8Decoder.decode(reply.subarray(skipSpace(reply, start), end))
    }
    return end
  })
  return next
}
