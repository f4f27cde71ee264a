/** DynamoDB over signed HTTP: one request for each call, and a reason where no answer came. */
import type { CredentialSource, Credentials } from './credentials.ts'
import { HeldCredentials } from './credentials.ts'
import type { DynamoCalls, DynamoOperation } from './dynamo-client.ts'
import type { FailureKind } from './dynamo-failure.ts'
import { DynamoFailure } from './dynamo-failure.ts'
import type { HttpTransport } from './http-transport.ts'
import { RequestSigner } from './sign-request.ts'
import { SocketTransport } from './socket-transport.ts'

const API = 'DynamoDB_20120810'

const NO_BYTES = new Uint8Array(0)
/** A sentence or two. */
const FAILURE_CHARS_MAX = 300
/** Every reply of DynamoDB is an object. */
const OPENING_BRACE = 0x7b

/** By the exception's name; what is not here is judged by the status. */
const KINDS: ReadonlyMap<string, FailureKind> = new Map([
  ['ProvisionedThroughputExceededException', 'throttled'],
  ['ThrottlingException', 'throttled'],
  ['Throttling', 'throttled'],
  ['RequestLimitExceeded', 'throttled'],
  ['LimitExceededException', 'throttled'],
  ['ReplicatedWriteConflictException', 'throttled'],
  ['TransactionInProgressException', 'throttled'],
  ['ConditionalCheckFailedException', 'condition'],
  ['InternalServerError', 'unavailable'],
  ['InternalServerErrorException', 'unavailable'],
  ['ServiceUnavailable', 'unavailable'],
  ['ServiceUnavailableException', 'unavailable'],
  ['InternalFailure', 'unavailable'],
])

/** The credentials ended, or were taken back, before their time: others may do. */
const CREDENTIALS_REFUSED: ReadonlySet<string> = new Set([
  'ExpiredTokenException',
  'ExpiredToken',
  'UnrecognizedClientException',
  'InvalidClientTokenId',
])

/** How calls ended, since the start. */
export type CallTally = {
  answered: number
  /** Refused by what DynamoDB holds or allows: an answer too, as far as the store's health goes. */
  refused: number
  throttled: number
  unavailable: number
  /** Given up by who asked before an answer came. */
  abandoned: number
}

export class DynamoHttpClient implements DynamoCalls {
  readonly tally: CallTally = {
    answered: 0,
    refused: 0,
    throttled: 0,
    unavailable: 0,
    abandoned: 0,
  }
  /** Of the last call that was throttled or got no answer, for people. */
  lastFailure = ''
  readonly #transport: HttpTransport
  readonly #signer: RequestSigner
  readonly #credentials: HeldCredentials

  constructor(parts: {
    /** `http://127.0.0.1:8000`, `https://dynamodb.eu-west-1.amazonaws.com`. */
    readonly endpoint: string
    readonly region: string
    readonly credentials: CredentialSource
    /** Left out: over connections of our own. */
    readonly transport?: HttpTransport
  }) {
    const url = new URL(parts.endpoint)
    this.#transport = parts.transport ?? new SocketTransport(url)
    this.#signer = new RequestSigner(url.host, parts.region)
    this.#credentials = new HeldCredentials(parts.credentials, Date.now)
  }

  async call(
    operation: DynamoOperation,
    body: Uint8Array,
    msMax: number,
    signal?: AbortSignal,
  ): Promise<Uint8Array> {
    const startMs = performance.now()
    try {
      const reply = await this.#send(`${API}.${operation}`, body, msMax, signal)
      this.tally.answered++
      return reply
    } catch (thrown) {
      // Timers may be a part of a millisecond early.
      const isOver = performance.now() - startMs >= msMax - 1 || signal?.aborted === true
      const failure = thrown instanceof DynamoFailure ? thrown : unanswered(thrown, isOver)
      this.#note(failure, signal?.aborted === true)
      throw failure
    }
  }

  #note({ kind, message }: DynamoFailure, isAbandoned: boolean): void {
    if (isAbandoned) {
      this.tally.abandoned++
      return
    }
    this.tally[kind === 'condition' ? 'answered' : kind]++
    if (kind === 'throttled' || kind === 'unavailable') this.lastFailure = message
  }

  async #send(
    target: string,
    body: Uint8Array,
    msMax: number,
    signal: AbortSignal | undefined,
  ): Promise<Uint8Array> {
    const untilMs = performance.now() + msMax
    const held = this.#credentials.current()
    const credentials = held instanceof Promise ? await inTime(held, msMax, signal) : held
    const headers = this.#signer.sign(target, body, credentials, Date.now())
    const { status, body: bytes } = await this.#transport.post(
      headers,
      body,
      untilMs - performance.now(),
      signal,
    )
    if (status === 200 && bytes[0] === OPENING_BRACE) return bytes
    // Another program in its place: none of its answers is one.
    if (status === 200) throw new DynamoFailure('unavailable', '', 'a reply that is no JSON', bytes)
    throw this.#refusal(status, bytes, credentials)
  }

  #refusal(status: number, bytes: Uint8Array, credentials: Credentials): DynamoFailure {
    const { exception, message } = parseRefusal(bytes)
    if (CREDENTIALS_REFUSED.has(exception)) {
      // The same call may pass with the next ones.
      this.#credentials.forget(credentials)
      return new DynamoFailure('unavailable', exception, `${exception}: ${message}`, bytes)
    }
    const kind = KINDS.get(exception) ?? kindOfStatus(status)
    const text = exception === '' ? `status ${status}` : `${exception}: ${message}`
    return new DynamoFailure(kind, exception, text, bytes)
  }
}

function kindOfStatus(status: number): FailureKind {
  if (status === 429) return 'throttled'
  return status >= 400 && status < 500 && status !== 408 ? 'refused' : 'unavailable'
}

/** A source may take as long as it likes: the call does not. */
function inTime(
  asked: Promise<Credentials>,
  msMax: number,
  signal: AbortSignal | undefined,
): Promise<Credentials> {
  const { promise, resolve, reject } = Promise.withResolvers<Credentials>()
  const giveUp = (): void => reject(new Error('no credentials in time'))
  if (signal?.aborted === true) giveUp()
  const timer = msMax === Infinity ? undefined : setTimeout(giveUp, msMax)
  signal?.addEventListener('abort', giveUp)
  asked
    .then(resolve, (thrown: unknown) => reject(withoutCredentials(thrown)))
    .finally(() => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', giveUp)
    })
  return promise
}

function withoutCredentials(thrown: unknown): DynamoFailure {
  const why = thrown instanceof Error ? thrown.message : String(thrown)
  return new DynamoFailure('refused', '', `no credentials to sign with: ${why}`, NO_BYTES)
}

/** What a transport throws: a connection that was refused, cut or given up. */
function unanswered(thrown: unknown, isOver: boolean): DynamoFailure {
  if (isOver) return new DynamoFailure('unavailable', '', 'no answer in time', NO_BYTES)
  const why = thrown instanceof Error ? thrown.message : String(thrown)
  return new DynamoFailure('unavailable', '', why, NO_BYTES)
}

/** Of a text from elsewhere what may stand in a log: a line, and not all of what was signed. */
const shown = (text: string): string =>
  text.slice(0, FAILURE_CHARS_MAX).replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+[^]*/, ' …')

/** `{"__type": "com.amazonaws.dynamodb.v20120810#NAME", "message": "…"}`; a proxy's page has neither. */
function parseRefusal(bytes: Uint8Array): { readonly exception: string; readonly message: string } {
  try {
    const parsed: unknown = JSON.parse(new TextDecoder().decode(bytes))
    if (typeof parsed !== 'object' || parsed === null) return { exception: '', message: '' }
    const fields = parsed as { readonly [name: string]: unknown } // an object: any name may be asked
    const type = String(fields['__type'] ?? '')
    const message = String(fields['message'] ?? fields['Message'] ?? '')
    return { exception: shown(type.slice(type.indexOf('#') + 1)), message: shown(message) }
  } catch {
    return { exception: '', message: '' } // not JSON: the status is all there is to tell
  }
}
