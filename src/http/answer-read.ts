/** POST /v1/features: bytes to a query, a query to a plan, a plan to an answer, an answer to bytes. */
import { decoderFor, encoderFor } from '../codec/negotiate.ts'
import type { ReplyEncoder, SchemaChoice } from '../codec/codec.ts'
import { READ_BODY_BYTES_MAX } from '../base/limits.ts'
import type { Answer } from '../query/query.ts'
import type { AppParts } from './app-parts.ts'
import { EVENT } from './counters.ts'
import { deadlineOf } from './deadline-header.ts'
import { readBody } from './read-body.ts'
import type { Answering } from './route.ts'

export function makeReadAnswering(parts: AppParts): Answering {
  const bounds = { bytesMax: READ_BODY_BYTES_MAX, msMax: parts.bodyMsMax }

  const reply = (answer: Answer, encoder: ReplyEncoder, schema: SchemaChoice): Response => {
    const body = encoder.encode(answer, schema)
    parts.counters.add(EVENT.replyBytes, body.length)
    return new Response(body, { headers: headersOf(encoder) })
  }

  return async (request, arrivedMs) => {
    const decoder = decoderFor(request.headers.get('content-type'))
    const encoder = encoderFor(request.headers.get('accept'))
    const headerMs = deadlineOf(request.headers)
    const body = await readBody(request, bounds)
    const { schema, ...asked } = decoder.decodeRead(body)
    // Nothing waits from here on where the store does not: a reload or an update falls between requests.
    const { catalog, plans, answerer } = parts.served()
    const plan = plans.planFor(catalog, asked)
    const spentMs = performance.now() - arrivedMs
    const query = { ...asked, deadlineMs: Math.min(asked.deadlineMs, headerMs) - spentMs }
    return answerer.answer(plan, query, (answer) => reply(answer, encoder, schema))
  }
}

/** One object for each format, made once: headers are read on every reply. */
const headers = new Map<ReplyEncoder, Headers>()

function headersOf(encoder: ReplyEncoder): Headers {
  let known = headers.get(encoder)
  if (known === undefined) {
    known = new Headers({ 'content-type': encoder.contentTypes[0]! })
    headers.set(encoder, known)
  }
  return known
}
