/**
 * Speaks as much of DynamoDB's protocol as reading a table needs, as cheaply as it goes: raw sockets,
 * keys found by a scan of the request's bytes, replies copied together from ready items. Every
 * feature is in every item, so that a projection of all of them changes nothing.
 */
import { crc32 } from 'node:zlib'
import { Histogram } from '../histogram.ts'
import { makeRandom } from '../random.ts'
import { findKeys } from './find-keys.ts'
import { CALL_KEYS_MAX, HeldCalls } from './held-calls.ts'
import type { HttpRequest } from './http-requests.ts'
import { HttpRequests } from './http-requests.ts'
import type { RareAnswer } from './rare-calls.ts'
import { answerRare, refusal } from './rare-calls.ts'
import { ReplyRoom } from './reply-room.ts'
import { STUB_TABLE } from './stub-items.ts'
import type { StubCounts, StubDelay } from './stub-orders.ts'

const TABLE = Buffer.from(`"${STUB_TABLE}"`)

/** One call at a time on each: a client that pipelines is not served. */
type Connection = {
  readonly requests: HttpRequests
  /** The reply of which the socket took a part: its slot or -1, and what is left. */
  reply: number
  at: number
  end: number
  isClosed: boolean
}

/** Small enough that one step more of a digest is exact. */
const DIGEST_END = 2 ** 47

type StubSocket = Bun.Socket<Connection>

const nowUs = (): number => Bun.nanoseconds() / 1000

export class StubServer {
  readonly #room: ReplyRoom
  readonly #held = new HeldCalls<StubSocket>()
  readonly #offsets = new Uint32Array(CALL_KEYS_MAX)
  /** Number of the call that asked for an item last: one that asks twice is refused. */
  readonly #askedIn: Uint32Array
  readonly #unanswered = new Map<number, number>()
  readonly #listener: Bun.TCPSocketListener<Connection>
  readonly #random = makeRandom(1)
  readonly #counts = { calls: 0, keys: 0, repeats: 0, abandoned: 0, refused: 0, overflows: 0 }
  #delay: StubDelay = { delayMs: 0, tailShare: 0, tailMs: 0 }
  #late = new Histogram()
  #isSweeping = false

  constructor(rows: number) {
    this.#room = new ReplyRoom(rows)
    this.#askedIn = new Uint32Array(rows)
    this.#listener = Bun.listen<Connection>({
      hostname: '127.0.0.1',
      port: 0,
      socket: {
        open: (socket) => {
          const requests = new HttpRequests()
          socket.data = { requests, reply: -1, at: 0, end: 0, isClosed: false }
        },
        data: (socket, chunk) =>
          socket.data.requests.receive(chunk, (request) => this.#answer(socket, request)),
        drain: (socket) => this.#writeOn(socket),
        close: (socket) => this.#close(socket.data),
        error: (socket) => this.#close(socket.data),
      },
    })
  }

  get port(): number {
    return this.#listener.port
  }

  get counts(): StubCounts {
    return { ...this.#counts }
  }

  set delay(delay: StubDelay) {
    this.#delay = delay
  }

  /** How late calls were answered since this was asked last, 99th percentile. */
  takeLateP99Us(): number {
    const { p99Us } = this.#late.percentiles()
    this.#late = new Histogram()
    return Number.isNaN(p99Us) ? 0 : p99Us
  }

  close(): void {
    this.#listener.stop(true)
  }

  #answer(socket: StubSocket, request: HttpRequest): void {
    if (request.operation === 'BatchGetItem') return this.#takeCall(socket, request)
    const body = request.bytes.toString('utf8', request.bodyStart, request.bodyEnd)
    this.#send(socket, answerRare(request.operation, body))
  }

  #takeCall(socket: StubSocket, { bytes, bodyStart, bodyEnd }: HttpRequest): void {
    const arrivedUs = nowUs()
    const keys = findKeys(bytes, bodyStart, bodyEnd, this.#offsets)
    const call = ++this.#counts.calls
    this.#counts.keys += keys
    const table = bytes.indexOf(TABLE, bodyStart)
    if (table < 0 || table > bodyEnd) return this.#refuse(socket, 'ResourceNotFoundException')
    if (keys === 0 || keys > CALL_KEYS_MAX) return this.#refuse(socket, 'ValidationException')
    const slot = this.#held.take()
    if (slot < 0) return this.#overflow(socket)
    if (!this.#findItems(slot, bytes, keys, call)) {
      this.#held.giveBack(slot)
      return this.#refuse(socket, 'ValidationException')
    }
    this.#held.callers[slot] = socket
    this.#hold(slot, arrivedUs)
  }

  /** False where a key is there twice. */
  #findItems(slot: number, bytes: Buffer, keys: number, call: number): boolean {
    const { items, counts, digests } = this.#held
    const text = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    let at = slot * CALL_KEYS_MAX
    let digest = keys
    for (let key = 0; key < keys; key++) {
      const item = this.#room.arena.find(text, this.#offsets[key]!)
      digest = (digest * 31 + item + 2) % DIGEST_END
      if (item < 0) continue
      if (this.#askedIn[item] === call) return false
      this.#askedIn[item] = call
      items[at++] = item
    }
    counts[slot] = at - slot * CALL_KEYS_MAX
    digests[slot] = digest
    const others = this.#unanswered.get(digest) ?? 0
    if (others > 0) this.#counts.repeats++
    this.#unanswered.set(digest, others + 1)
    return true
  }

  #hold(slot: number, arrivedUs: number): void {
    const { delayMs, tailShare, tailMs } = this.#delay
    const isTail = tailShare > 0 && this.#random() < tailShare
    const ms = isTail ? tailMs : delayMs
    this.#held.dueUs[slot] = arrivedUs + ms * 1000
    if (ms === 0) return this.#reply(slot)
    this.#held.hold(slot, isTail)
    if (this.#isSweeping) return
    this.#isSweeping = true
    setImmediate(this.#sweep)
  }

  /** Turns without pause while calls are held: a timer would be a millisecond off. */
  readonly #sweep = (): void => {
    for (let slot = this.#held.nextDue(nowUs()); slot >= 0; slot = this.#held.nextDue(nowUs())) {
      this.#reply(slot)
    }
    this.#isSweeping = this.#held.held > 0
    if (this.#isSweeping) setImmediate(this.#sweep)
  }

  #reply(slot: number): void {
    const { items, counts, dueUs, digests, callers } = this.#held
    const socket = callers[slot]!
    const others = this.#unanswered.get(digests[slot]!)! - 1
    if (others === 0) this.#unanswered.delete(digests[slot]!)
    else this.#unanswered.set(digests[slot]!, others)
    this.#held.giveBack(slot)
    const connection = socket.data
    if (connection.isClosed) {
      this.#counts.abandoned++
      return
    }
    const reply = this.#room.take()
    if (reply < 0) return this.#overflow(socket)
    this.#late.record(nowUs() - dueUs[slot]!)
    connection.reply = reply
    connection.at = this.#room.startOf(reply)
    connection.end = this.#room.fill(reply, items, slot * CALL_KEYS_MAX, counts[slot]!)
    this.#writeOn(socket)
  }

  #writeOn(socket: StubSocket): void {
    const connection = socket.data
    if (connection.reply < 0) return
    const { at, end } = connection
    const written = socket.write(this.#room.arena.bytes, at, end - at)
    connection.at += Math.max(written, 0)
    if (connection.at === end) this.#endReply(connection)
  }

  #endReply(connection: Connection): void {
    if (connection.reply >= 0) this.#room.giveBack(connection.reply)
    connection.reply = -1
  }

  #close(connection: Connection): void {
    connection.isClosed = true
    this.#endReply(connection)
  }

  #refuse(socket: StubSocket, exception: string): void {
    this.#counts.refused++
    this.#send(socket, refusal(exception, 'not by this stub'))
  }

  #overflow(socket: StubSocket): void {
    this.#counts.overflows++
    socket.end()
  }

  /** A short reply: a socket with nothing under way takes it whole. */
  #send(socket: StubSocket, { status, body }: RareAnswer): void {
    const type = `content-type: application/x-amz-json-1.0\r\nx-amz-crc32: ${crc32(body)}`
    const head = `HTTP/1.1 ${status} ${status === 200 ? 'OK' : 'Bad Request'}\r\n${type}`
    socket.write(`${head}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
  }
}
