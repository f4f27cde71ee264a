/** POST /v1/write: the body goes to the writing side as it is; the answer comes when it is durable. */
import type { FaultCode } from '../base/fault.ts'
import { Fault } from '../base/fault.ts'
import {
  WRITE_BODIES_BYTES_MAX,
  WRITE_BODY_BYTES_MAX,
  WRITES_IN_FLIGHT_MAX,
} from '../base/limits.ts'
import { Room } from '../base/room.ts'
import { utf8Encoder } from '../base/utf8.ts'
import type { AppParts } from './app-parts.ts'
import { EVENT } from './counters.ts'
import { laterResponse } from './later-response.ts'
import { declaredBytes, readBody } from './read-body.ts'
import { targetOf } from './request-target.ts'
import type { Answering } from './route.ts'
import type { WriteCall, WriteReply } from './write-lane.ts'
import type { WriteRequest } from './write-request.ts'
import { encodeWriteReply, parseWriteRequest } from './write-request.ts'

const JSON_HEADERS = new Headers({ 'content-type': 'application/json' })

const STORE_FAULTS: ReadonlySet<FaultCode> = new Set<FaultCode>([
  'disk_full',
  'store_full',
  'write_failed',
])

export function makeWriteAnswering(parts: AppParts): Answering {
  const bounds = { bytesMax: WRITE_BODY_BYTES_MAX, msMax: parts.bodyMsMax }
  const room = new Room({ countMax: WRITES_IN_FLIGHT_MAX, bytesMax: WRITE_BODIES_BYTES_MAX })
  let writesInFlight = 0

  const answer = async (request: Request): Promise<Response> => {
    parts.guardWrite(request.headers)
    const asked = parseWriteRequest(new URLSearchParams(targetOf(request).query), request.headers)
    const { writes } = parts.served()
    const bytes = declaredBytes(request, WRITE_BODY_BYTES_MAX) ?? WRITE_BODY_BYTES_MAX
    parts.connections.keepOpen(request)
    if (asked.lane === 'batch') await room.waitToEnter(bytes)
    else if (!room.enter(bytes))
      throw shed(parts, 'bodies of writes', `${WRITE_BODIES_BYTES_MAX} bytes`)
    try {
      const body = await readBody(request, bounds)
      return replyOf(parts, asked, await writes.write(callOf(asked, body)))
    } catch (thrown) {
      warnOfStore(parts, thrown)
      throw thrown
    } finally {
      room.leave(bytes)
    }
  }

  return async (request) => {
    if (writesInFlight === WRITES_IN_FLIGHT_MAX) {
      throw shed(parts, 'writes', `${WRITES_IN_FLIGHT_MAX}`)
    }
    writesInFlight++
    try {
      return await answer(request)
    } finally {
      writesInFlight--
    }
  }
}

function callOf(asked: WriteRequest, body: Uint8Array): WriteCall {
  const { view, lane, format, dryRun } = asked
  return { view, lane, format, dryRun, body }
}

function replyOf(parts: AppParts, asked: WriteRequest, reply: WriteReply): Response {
  parts.counters.countWrite(asked.lane, reply)
  parts.readiness.clearWarning('writes')
  const told = encodeWriteReply(reply, asked.tellsOutcomes)
  return laterResponse(utf8Encoder.encode(told), { headers: JSON_HEADERS })
}

/** Reads go on where the disk takes no more: a warning, not a reason to be sent no requests. */
function warnOfStore(parts: AppParts, thrown: unknown): void {
  if (!(thrown instanceof Fault) || !STORE_FAULTS.has(thrown.code)) return
  parts.readiness.warn('writes', `writes fail: ${thrown.code}: ${thrown.message}`)
}

function shed(parts: AppParts, what: string, most: string): Fault {
  parts.counters.add(EVENT.requestsShed, 1)
  return new Fault('overloaded', `too many ${what} are under way`, { allowed: `${most} at once` })
}
