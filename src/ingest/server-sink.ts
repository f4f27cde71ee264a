/**
 * Rows to a running server, by its write route and in the batch lane. One request at a time, so that
 * batches keep their order; each is tried again while the server is full, restarts or is out of reach,
 * which is safe, for writing a row again changes nothing.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { Fault } from '../base/fault.ts'
import { SERVER_FINISH_MS_MAX, SERVER_RETRY_MS_MAX, SERVER_WRITE_MS_MAX } from '../base/limits.ts'
import type { FeatureView } from '../catalog/catalog.ts'
import { viewLayout } from '../row/view-layout.ts'
import { encodeBatch } from './encode-batch.ts'
import { directNames } from './row-names.ts'
import { parseRefusal, parseWriteReply } from './server-reply.ts'
import type { Sink, SinkOutcomes } from './sink.ts'

export type ServerTarget = {
  /** 'http://host:port' */
  readonly server: string
  /** '' where the server asks for none. */
  readonly token: string
  readonly view: FeatureView
  readonly dryRun: boolean
  /** Told each time that a request is to be tried again. */
  readonly onRetry: (why: string) => void
  /** Aborted: a request under way gets SERVER_FINISH_MS_MAX more, and none is tried again. */
  readonly signal: AbortSignal
}

const BACKOFF_MS_MIN = 200
const BACKOFF_MS_MAX = 5_000

export function serverSink(target: ServerTarget): Sink {
  const { view } = target
  let last: Promise<unknown> = Promise.resolve()
  return {
    table: 0,
    layout: 0,
    write: (batch) => {
      // Made at once: it is ready when the server has answered the one before.
      const body = encodeBatch(view, viewLayout(view), directNames(view).time, batch)
      const written = last.then(() => writeBody(target, body, batch.count))
      last = written
      written.catch(() => undefined) // its caller hears of it, and so do those behind it
      return written
    },
  }
}

async function writeBody(
  target: ServerTarget,
  body: Uint8Array,
  rows: number,
): Promise<SinkOutcomes> {
  const outcomes = parseWriteReply(await post(target, body), rows)
  if (outcomes !== undefined) return outcomes
  throw unavailable(target.server, 'what answers there is no Salver server')
}

/** The text of a good answer. */
async function post(target: ServerTarget, body: Uint8Array): Promise<string> {
  const giveUpMs = performance.now() + SERVER_RETRY_MS_MAX
  for (let backoffMs = BACKOFF_MS_MIN; ; backoffMs = Math.min(backoffMs * 2, BACKOFF_MS_MAX)) {
    const answer = await ask(target, body)
    if (typeof answer === 'string') return answer
    const waitMs = Math.max(answer.waitMs, backoffMs * (0.5 + Math.random() / 2))
    if (performance.now() + waitMs > giveUpMs) throw answer.fault
    if (!target.signal.aborted) {
      target.onRetry(answer.fault.message)
      await sleepUnless(waitMs, target.signal)
    }
    if (target.signal.aborted) throw interrupted(answer.fault)
  }
}

/** Ends early, and as well, when the signal comes. */
async function sleepUnless(waitMs: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(waitMs, undefined, { signal })
  } catch (thrown) {
    if (!signal.aborted) throw thrown
  }
}

const interrupted = ({ code, message, where, allowed }: Fault): Fault =>
  new Fault(code, `interrupted; the last try: ${message}`, { where, allowed })

type Retry = { readonly fault: Fault; readonly waitMs: number }

/** The answer's text, or why to try again; what trying again does not mend is thrown. */
async function ask(target: ServerTarget, body: Uint8Array): Promise<string | Retry> {
  const { server, view, dryRun } = target
  const parameters = new URLSearchParams({ view: view.name, lane: 'batch', outcomes: 'each' })
  if (dryRun) parameters.set('dry_run', 'true')
  const patience = patienceOf(target.signal)
  let response: Response
  let text: string
  try {
    response = await fetch(`${server}/v1/write?${parameters}`, {
      method: 'POST',
      body,
      headers: headersOf(target),
      signal: patience.signal,
    })
    text = await response.text()
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    return { fault: unavailable(server, `can't be reached: ${reason}`, cause), waitMs: 0 }
  } finally {
    patience.release()
  }
  if (response.ok) return text
  const fault = refusal(target, response.status, text)
  if (response.status !== 503 && response.status !== 429) throw fault
  return { fault, waitMs: Number(response.headers.get('retry-after') ?? 0) * 1000 || 0 }
}

/** How long one request may take: shorter from the moment that the run is to end. */
function patienceOf(signal: AbortSignal): {
  readonly signal: AbortSignal
  readonly release: () => void
} {
  const controller = new AbortController()
  const giveUp = (): void => controller.abort(new Error('no answer in time'))
  let timer = setTimeout(giveUp, SERVER_WRITE_MS_MAX)
  const hurry = (): void => {
    clearTimeout(timer)
    timer = setTimeout(giveUp, SERVER_FINISH_MS_MAX)
  }
  if (signal.aborted) hurry()
  else signal.addEventListener('abort', hurry, { once: true })
  const release = (): void => {
    clearTimeout(timer)
    signal.removeEventListener('abort', hurry)
  }
  return { signal: controller.signal, release }
}

function headersOf({ token }: ServerTarget): Headers {
  const headers = new Headers({ 'content-type': 'application/msgpack' })
  if (token !== '') headers.set('authorization', `Bearer ${token}`)
  return headers
}

const unavailable = (server: string, message: string, cause?: unknown): Fault =>
  new Fault('unavailable', message, { where: server, cause })

function refusal({ server, token }: ServerTarget, status: number, text: string): Fault {
  if (status === 401) {
    const what = token === '' ? 'asks for a token' : 'refuses the token'
    return new Fault('unauthorized', what, { where: server, allowed: 'SALVER_TOKEN' })
  }
  const told = parseRefusal(text)
  if (told === undefined) return unavailable(server, `answered ${status}`)
  const { message, where, allowed } = told
  return new Fault('invalid_request', `${server} refuses: ${message}`, { where, allowed })
}
