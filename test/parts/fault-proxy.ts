/**
 * Stands between a client and a store that speaks DynamoDB's protocol, and fails as it is told. On
 * raw sockets, so that a connection can be refused, reset or cut off in the middle of a reply.
 *
 * Which calls a share meets is counted out and not drawn: of a share of 0.25 it is every fourth.
 * It asks the store by fetch, whose calls at once are bounded for the whole process (256): a client
 * in the same process must stay well below that, or both wait for each other.
 */
import type { Socket, TCPSocketListener } from 'bun'
import type { WireReply, WireRequest } from './http-wire.ts'
import { OF_ONE_HOP, RequestReader, encodeReply } from './http-wire.ts'
import type { Json } from './withhold.ts'
import { nothingDone, withhold } from './withhold.ts'

export type ProxyMode =
  | { readonly kind: 'pass' }
  /** Waits before it asks the store. */
  | { readonly kind: 'slow'; readonly ms: number }
  /** Answers that the table's throughput is exceeded. */
  | { readonly kind: 'throttle'; readonly share: number }
  /** Answers 500. */
  | { readonly kind: 'errors'; readonly share: number }
  /** Nothing listens; connections that were open are closed. */
  | { readonly kind: 'refuse' }
  /** Takes calls and never answers them, not even later in another mode. */
  | { readonly kind: 'hang' }
  /** Takes a call and breaks the connection. */
  | { readonly kind: 'reset' }
  /** Does what is asked, and closes the connection in the middle of the reply. */
  | { readonly kind: 'cut' }
  /** Answers 200 with what is not JSON. */
  | { readonly kind: 'garbage' }
  /** Leaves out a share of a BatchGetItem's keys and of a BatchWriteItem's writes. */
  | { readonly kind: 'unprocessed'; readonly share: number }

export const MODE = {
  pass: { kind: 'pass' },
  slow: (ms: number): ProxyMode => ({ kind: 'slow', ms }),
  throttle: (share = 1): ProxyMode => ({ kind: 'throttle', share }),
  errors: (share = 1): ProxyMode => ({ kind: 'errors', share }),
  refuse: { kind: 'refuse' },
  hang: { kind: 'hang' },
  reset: { kind: 'reset' },
  cut: { kind: 'cut' },
  garbage: { kind: 'garbage' },
  unprocessed: (share: number): ProxyMode => ({ kind: 'unprocessed', share }),
} as const satisfies Readonly<
  Record<ProxyMode['kind'], ProxyMode | ((figure: number) => ProxyMode)>
>

/** On a free port of this machine. */
export const startFaultProxy = (targetUrl: string): FaultProxy => new FaultProxy(targetUrl)

const HOST = '127.0.0.1'

export class FaultProxy {
  readonly url: string
  readonly #target: string
  readonly #port: number
  readonly #calls = new Map<string, number>()
  readonly #faults = new Map<ProxyMode['kind'], number>()
  readonly #stopping = new AbortController()
  #listener: TCPSocketListener<Connection> | undefined
  #mode: ProxyMode = MODE.pass
  /** What of the share is due: a whole one is a call that meets the fault. */
  #due = 0

  constructor(targetUrl: string) {
    this.#target = targetUrl.replace(/\/$/, '')
    this.#listener = this.#listen(0)
    this.#port = this.#listener.port
    this.url = `http://${HOST}:${this.#port}`
  }

  get mode(): ProxyMode {
    return this.#mode
  }

  /** For calls that arrive from now on. */
  set mode(mode: ProxyMode) {
    this.#mode = mode
    this.#due = 0
    if (mode.kind === 'refuse') {
      this.#listener?.stop(true)
      this.#listener = undefined
    } else this.#listener ??= this.#listen(this.#port)
  }

  /** How many calls of an operation have arrived, in whatever mode; of all without a name. */
  calls(operation?: string): number {
    if (operation !== undefined) return this.#calls.get(operation) ?? 0
    return this.#calls.values().reduce((sum, count) => sum + count, 0)
  }

  /** How many calls met the fault of a mode; of `unprocessed` how many keys and writes. */
  faults(kind: ProxyMode['kind']): number {
    return this.#faults.get(kind) ?? 0
  }

  stop(): void {
    this.#stopping.abort()
    this.#listener?.stop(true)
    this.#listener = undefined
  }

  #listen(port: number): TCPSocketListener<Connection> {
    const answer = (request: WireRequest): Promise<Answer> => this.#answer(request)
    return Bun.listen<Connection>({
      hostname: HOST,
      port,
      socket: {
        open: (socket) => {
          socket.data = new Connection(socket, answer)
        },
        data: (socket, bytes) => socket.data.receive(bytes),
        drain: (socket) => socket.data.flush(),
        close: (socket) => socket.data.close(),
        error: (socket) => socket.data.close(),
      },
    })
  }

  async #answer(request: WireRequest): Promise<Answer> {
    const operation = request.headers.get('x-amz-target')?.split('.').at(-1) ?? 'other'
    this.#calls.set(operation, this.calls(operation) + 1)
    const mode = this.#mode
    if (mode.kind === 'unprocessed') return this.#withhold(request, operation, mode.share)
    if (mode.kind === 'pass' || !this.#isMet(mode)) return this.#ask(request)
    this.#count(mode.kind, 1)
    if (mode.kind === 'slow') await this.#wait(mode.ms)
    if (mode.kind === 'slow') return this.#ask(request)
    if (mode.kind === 'cut') return { ...(await this.#ask(request)), end: 'half' }
    return REPLIES[mode.kind]
  }

  /** Ends early when the proxy does. */
  #wait(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, ms)
    this.#stopping.signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
    return promise
  }

  #isMet(mode: ProxyMode): boolean {
    return this.#isDue('share' in mode ? mode.share : 1)
  }

  #isDue(share: number): boolean {
    this.#due += share
    // Shares such as 0.1 do not add up to a whole one exactly.
    const isDue = this.#due > 1 - 1e-9
    if (isDue) this.#due -= 1
    return isDue
  }

  #count(kind: ProxyMode['kind'], count: number): void {
    this.#faults.set(kind, this.faults(kind) + count)
  }

  /** What is left out is not asked of the store: a write that is left out is not done. */
  async #withhold(request: WireRequest, operation: string, share: number): Promise<Answer> {
    const known = operation === 'BatchGetItem' || operation === 'BatchWriteItem'
    const body = known ? decodeJson(request.body) : {}
    const withheld = withhold(operation, body, () => this.#isDue(share))
    if (withheld === undefined || withheld.count === 0) return this.#ask(request)
    this.#count('unprocessed', withheld.count)
    const { asked } = withheld
    if (asked === undefined) return jsonReply(200, withheld.complete(nothingDone(operation)))
    const reply = await this.#ask({ ...request, body: encodeJson(asked) })
    if (reply.end !== 'whole' || reply.status !== 200) return reply
    // Of the body as it was; a client that checks it would refuse ours.
    const headers = reply.headers.filter(([name]) => name !== 'x-amz-crc32')
    return { ...reply, headers, body: encodeJson(withheld.complete(decodeJson(reply.body))) }
  }

  /** A store that can't be reached is as one that breaks the connection. */
  async #ask(request: WireRequest): Promise<Answer> {
    const headers = [...request.headers].filter(([name]) => !OF_ONE_HOP.has(name))
    try {
      const response = await fetch(this.#target + request.path, {
        method: request.method,
        headers: Object.fromEntries([...headers, ['accept-encoding', 'identity']]),
        ...(request.body.length > 0 && { body: request.body }),
        redirect: 'manual',
        signal: this.#stopping.signal,
      })
      const body = await response.bytes()
      // fetch has unpacked the body.
      const told = [...response.headers].filter(([name]) => name !== 'content-encoding')
      return { end: 'whole', status: response.status, headers: told, body }
    } catch {
      return REPLIES.reset
    }
  }
}

/** A reply, and how much of it the client gets: all, half and then the end, nothing, or a reset. */
type Answer = WireReply & { readonly end: 'whole' | 'half' | 'never' | 'reset' }

/** Of what speaks the protocol: an object. */
const decodeJson = (bytes: Uint8Array): Json => JSON.parse(new TextDecoder().decode(bytes)) as Json

const encodeJson = (json: Json): Uint8Array<ArrayBuffer> =>
  new TextEncoder().encode(JSON.stringify(json))

const reply = (status: number, body: Uint8Array, end: Answer['end']): Answer => ({
  status,
  headers: [['content-type', 'application/x-amz-json-1.0']],
  body,
  end,
})

const jsonReply = (status: number, json: Json): Answer => reply(status, encodeJson(json), 'whole')

const refusal = (status: number, exception: string, message: string): Answer =>
  jsonReply(status, { __type: `com.amazonaws.dynamodb.v20120810#${exception}`, message })

const NO_BYTES = new Uint8Array(0)

/** Of the modes that don't ask the store. */
const REPLIES = {
  throttle: refusal(
    400,
    'ProvisionedThroughputExceededException',
    'The level of configured provisioned throughput for the table was exceeded.',
  ),
  errors: refusal(500, 'InternalServerError', 'Internal server error'),
  garbage: reply(200, new TextEncoder().encode('<html>It works!</html>'), 'whole'),
  hang: reply(0, NO_BYTES, 'never'),
  reset: reply(0, NO_BYTES, 'reset'),
  // A call that was received just before the mode was set.
  refuse: reply(0, NO_BYTES, 'reset'),
} as const

/** One client's connection: its calls are answered one after the other. */
class Connection {
  readonly #socket: Socket<Connection>
  readonly #answer: (request: WireRequest) => Promise<Answer>
  readonly #reader = new RequestReader()
  #unsent: Uint8Array = NO_BYTES
  #endsWhenSent = false
  #isAnswering = false
  #isClosed = false

  constructor(socket: Socket<Connection>, answer: (request: WireRequest) => Promise<Answer>) {
    this.#socket = socket
    this.#answer = answer
  }

  receive(bytes: Uint8Array): void {
    this.#reader.push(bytes)
    void this.#answerAll()
  }

  close(): void {
    this.#isClosed = true
  }

  /** Sends what the socket takes now; the rest when it takes more. */
  flush(): void {
    if (this.#isClosed) return
    const sent = this.#socket.write(this.#unsent)
    this.#unsent = this.#unsent.subarray(Math.max(sent, 0))
    if (this.#unsent.length === 0 && this.#endsWhenSent) this.#socket.end()
  }

  async #answerAll(): Promise<void> {
    if (this.#isAnswering) return
    this.#isAnswering = true
    for (let request = this.#take(); request !== undefined; request = this.#take()) {
      const answer = await this.#answer(request)
      if (answer.end === 'never') return // and it stays so: nothing more is answered here
      this.#send(answer)
    }
    this.#isAnswering = false
  }

  #take(): WireRequest | undefined {
    if (this.#isClosed || this.#endsWhenSent) return undefined
    return this.#reader.take()
  }

  #send(answer: Answer): void {
    if (this.#isClosed) return
    if (answer.end === 'reset') {
      this.#socket.terminate()
      return
    }
    const bytes = encodeReply(answer)
    this.#endsWhenSent = answer.end === 'half'
    const half = bytes.length - Math.ceil(answer.body.length / 2)
    this.#unsent = this.#endsWhenSent ? bytes.subarray(0, half) : bytes
    this.flush()
  }
}
