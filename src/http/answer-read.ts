/** POST /v1/features: bytes to a query, a query to a plan, a plan to an answer, an answer to bytes. */
import { decoderFor, encoderFor } from '../codec/negotiate.ts'
import type { ReplyEncoder, SchemaChoice } from '../codec/codec.ts'
import { READ_BODY_BYTES_MAX } from '../base/limits.ts'
import type { Answer, Query } from '../query/query.ts'
import type { AppParts } from './app-parts.ts'
import { EVENT } from './counters.ts'
import { deadlineOf } from './deadline-header.ts'
import { laterResponse } from './later-response.ts'
import { readBody } from './read-body.ts'
import type { Answering } from './route.ts'

export function makeReadAnswering(parts: AppParts): Answering {
  const bounds = { bytesMax: READ_BODY_BYTES_MAX, msMax: parts.bodyMsMax }

  const reply = (answer: Answer, encoder: ReplyEncoder, schema: SchemaChoice): Reply => {
    const body = encoder.encode(answer, schema)
    parts.counters.add(EVENT.replyBytes, body.length)
    const headers = headersOf(encoder)
    if (answer.staleRows === 0) return { body, headers }
    const told = new Headers(headers)
    told.set('x-salver-stale', String(answer.staleRows))
    return { body, headers: told }
  }

  return async (request, arrivedMs) => {
    const decoder = decoderFor(request.headers.get('content-type'))
    const encoder = encoderFor(request.headers.get('accept'))
    const headerMs = deadlineOf(request.headers)
    const body = await readBody(request, bounds)
    const asked = decoder.decodeRead(body)
    // Nothing waits from here on where the store does not: a reload or an update falls between requests.
    const { catalog, plans, answerer } = parts.served()
    const plan = plans.planFor(catalog, asked)
    const query = withDeadline(asked, headerMs, arrivedMs)
    const use = (answer: Answer): Reply => reply(answer, encoder, asked.schema)
    const answered = answerer.answer(plan, query, use, request.signal)
    if (answered instanceof Promise) return answered.then(laterReply)
    return new Response(answered.body, { headers: answered.headers })
  }
}

type Reply = { readonly body: Uint8Array; readonly headers: Headers }

const laterReply = ({ body, headers }: Reply): Response => laterResponse(body, { headers })

/** The sooner of the two deadlines, less what was spent since the request arrived. */
function withDeadline(asked: Query, headerMs: number, arrivedMs: number): Query {
  const deadlineMs = Math.min(asked.deadlineMs, headerMs)
  if (deadlineMs === Infinity) return asked
  return { ...asked, deadlineMs: deadlineMs - (performance.now() - arrivedMs) }
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
