/** POST /get-online-features: Feast's own request, answered as its server answers. */
import { READ_BODY_BYTES_MAX } from '../base/limits.ts'
import { answerFeast } from '../codec/answer-feast.ts'
import type { FeastReply } from '../codec/feast-error.ts'
import type { AppParts } from './app-parts.ts'
import { EVENT } from './counters.ts'
import { deadlineOf } from './deadline-header.ts'
import { laterResponse } from './later-response.ts'
import { readBody } from './read-body.ts'
import type { Answering } from './route.ts'

type Head = { readonly status: number; readonly headers: Readonly<Record<string, string>> }

export function makeFeastAnswering(parts: AppParts): Answering {
  const bounds = { bytesMax: READ_BODY_BYTES_MAX, msMax: parts.bodyMsMax }
  const enforceTtl = parts.feastTtl === 'enforce'

  const headOf = (answered: FeastReply): Head => {
    const { status, contentType, body, lateCells, staleRows } = answered
    const headers: Record<string, string> = { 'content-type': contentType }
    if (lateCells > 0) headers['x-salver-late'] = String(lateCells)
    if (staleRows > 0) headers['x-salver-stale'] = String(staleRows)
    parts.counters.add(EVENT.replyBytes, body.length)
    return { status, headers }
  }

  return async (request, arrivedMs) => {
    const contentType = request.headers.get('content-type') ?? ''
    const headerMs = deadlineOf(request.headers)
    const body = await readBody(request, bounds)
    const { catalog, feastPlans: plans, answerer } = parts.served()
    const deadlineMs = headerMs - (performance.now() - arrivedMs)
    const call = { body, contentType, deadlineMs, gone: request.signal }
    const answered = answerFeast(call, { catalog, plans, answerer, enforceTtl })
    if (!(answered instanceof Promise)) return new Response(answered.body, headOf(answered))
    return answered.then((reply) => laterResponse(reply.body, headOf(reply)))
  }
}
