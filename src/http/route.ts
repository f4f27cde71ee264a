/** One route: bounded, timed, counted, and no exception of its handler is left without an answer. */
import type { Context } from 'hono'
import { Fault } from '../base/fault.ts'
import type { AppParts } from './app-parts.ts'
import { EVENT, ROUTES } from './counters.ts'
import type { Route } from './counters.ts'
import { faultResponse, internalResponse } from './fault-response.ts'
import { targetOf } from './request-target.ts'

export type Answering = (request: Request, arrivedMs: number) => Response | Promise<Response>

/** What the log of proxies calls a client that went away. */
const CLIENT_GONE = 499

/** A route that is answered however busy the server is: for probes and scrapes. */
export function probeRoute(parts: AppParts, name: Route, answering: Answering) {
  const route = new Routed(parts, name)
  return (c: Context): Response | Promise<Response> => route.answer(c.req.raw, answering)
}

/** A route that is shed when too many requests are under way. */
export function workRoute(parts: AppParts, name: Route, answering: Answering) {
  const route = new Routed(parts, name)
  const bounded: Answering = (request, arrivedMs) => {
    requireRoom(parts)
    return answering(request, arrivedMs)
  }
  return (c: Context): Response | Promise<Response> => route.answer(c.req.raw, bounded)
}

function requireRoom(parts: AppParts): void {
  if (parts.connections.requestsInFlight() <= parts.requestsInFlightMax) return
  parts.counters.add(EVENT.requestsShed, 1)
  throw new Fault('overloaded', 'too many requests are being answered', {
    allowed: `at most ${parts.requestsInFlightMax} at once`,
  })
}

class Routed {
  readonly #parts: AppParts
  readonly #place: number

  constructor(parts: AppParts, name: Route) {
    this.#parts = parts
    this.#place = ROUTES.indexOf(name)
  }

  /** Answers at once where the handler does. */
  answer(request: Request, answering: Answering): Response | Promise<Response> {
    const arrivedMs = performance.now()
    this.#parts.counters.add(EVENT.requestsStarted, 1)
    try {
      const response = answering(request, arrivedMs)
      return response instanceof Promise
        ? this.#finished(request, response, arrivedMs)
        : this.#counted(response, arrivedMs)
    } catch (thrown) {
      return this.#counted(this.#failed(request, thrown), arrivedMs)
    }
  }

  async #finished(
    request: Request,
    answer: Promise<Response>,
    arrivedMs: number,
  ): Promise<Response> {
    try {
      return this.#counted(await answer, arrivedMs)
    } catch (thrown) {
      return this.#counted(this.#failed(request, thrown), arrivedMs)
    }
  }

  #counted(response: Response, arrivedMs: number): Response {
    const ms = performance.now() - arrivedMs
    this.#parts.counters.countRequest(this.#place, response.status, ms)
    return response
  }

  #failed(request: Request, thrown: unknown): Response {
    if (thrown instanceof Fault) {
      this.#parts.counters.countFault(thrown.code)
      return faultResponse(thrown)
    }
    // Nobody reads this answer: it stands for the count.
    if (request.signal.aborted) return new Response(null, { status: CLIENT_GONE })
    return this.#failedUnexpectedly(request, thrown)
  }

  #failedUnexpectedly(request: Request, thrown: unknown): Response {
    const { path } = targetOf(request)
    const id = crypto.randomUUID().slice(0, 8)
    const cause = thrown instanceof Error ? (thrown.stack ?? String(thrown)) : String(thrown)
    this.#parts.counters.add(EVENT.failuresUnexpected, 1)
    this.#parts.log(`unexpected failure ${id} in ${request.method} ${path}: ${cause}`)
    return internalResponse(id)
  }
}
