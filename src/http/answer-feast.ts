/** POST /get-online-features: Feast's own request, answered as its server answers. */
import { READ_BODY_BYTES_MAX } from '../base/limits.ts'
import { answerFeast } from '../codec/answer-feast.ts'
import type { FeastReply } from '../codec/feast-error.ts'
import type { AppParts } from './app-parts.ts'
import { EVENT } from './counters.ts'
import { deadlineOf } from './deadline-header.ts'
import { readBody } from './read-body.ts'
import type { Answering } from './route.ts'

export function makeFeastAnswering(parts: AppParts): Answering {
  const bounds = { bytesMax: READ_BODY_BYTES_MAX, msMax: parts.bodyMsMax }
  const enforceTtl = parts.feastTtl === 'enforce'

  const reply = (answered: FeastReply): Response => {
    const { status, contentType, body, lateCells, staleRows } = answered
    const headers: Record<string, string> = { 'content-type': contentType }
    if (lateCells > 0) headers['x-salver-late'] = String(lateCells)
    if (staleRows > 0) headers['x-salver-stale'] = String(staleRows)
    parts.counters.add(EVENT.replyBytes, body.length)
    return new Response(body, { status, headers })
  }

  return async (request, arrivedMs) => {
    const contentType = request.headers.get('content-type') ?? ''
    const headerMs = deadlineOf(request.headers)
    const body = await readBody(request, bounds)
    const { catalog, feastPlans: plans, answerer } = parts.served()
    const deadlineMs = headerMs - (performance.now() - arrivedMs)
    const call = { body, contentType, deadlineMs, gone: request.signal }
    const answered = answerFeast(call, { catalog, plans, answerer, enforceTtl })
    return answered instanceof Promise ? answered.then(reply) : reply(answered)
  }
}
