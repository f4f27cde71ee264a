/** One connection to a server: a request at a time, and the reply to it. */
import { utf8Encoder } from '../../base/utf8.ts'
import { HttpReplyParser } from './http-reply-parser.ts'
import type { HttpReply } from './http-transport.ts'

/** Where requests go. */
export type HttpTarget = {
  readonly hostname: string
  readonly port: number
  readonly isSecure: boolean
  /** Certificates to trust in place of the system's; undefined: the system's. */
  readonly ca: string | undefined
  /** For opening a connection, TLS and all. */
  readonly connectMsMax: number
}

type Socket = Bun.Socket<undefined>
type Waiting = {
  readonly resolve: (reply: HttpReply) => void
  readonly reject: (why: Error) => void
}

export class HttpConnection {
  readonly #socket: Socket
  readonly #parser = new HttpReplyParser()
  #waiting: Waiting | undefined
  /** Of a request, what the socket did not take yet. */
  #unsent: Uint8Array | undefined
  #isClosed = false
  /** When the last reply came, by `performance.now()`. */
  idleSinceMs = performance.now()

  /** Resolves when requests may be sent: over TLS, when the server has shown who it is. */
  static open(target: HttpTarget): Promise<HttpConnection> {
    const { promise, resolve, reject } = Promise.withResolvers<HttpConnection>()
    let connection: HttpConnection | undefined
    let opened: Socket | undefined
    // A server may take the connection and then say nothing: TLS would wait for it for ever.
    const timer = setTimeout(() => {
      failed(new Error('the connection was not answered'))
      opened?.terminate()
    }, target.connectMsMax)
    const ready = (socket: Socket): void => {
      clearTimeout(timer)
      connection = new HttpConnection(socket)
      resolve(connection)
    }
    const failed = (why: Error): void => {
      clearTimeout(timer)
      reject(why)
      connection?.fail(why)
    }
    Bun.connect({
      hostname: target.hostname,
      port: target.port,
      ...(target.isSecure ? { tls: target.ca === undefined ? true : { ca: target.ca } } : {}),
      socket: {
        open: (socket) => {
          opened = socket
          socket.setNoDelay(true)
          if (!target.isSecure) ready(socket)
        },
        handshake: (socket, isTrusted, error) => {
          if (isTrusted && socket.authorized) return ready(socket)
          failed(new Error(`the server's certificate is not trusted: ${error?.message ?? ''}`))
          socket.terminate()
        },
        data: (_, piece) => connection?.take(piece),
        drain: () => connection?.drain(),
        end: (socket) => void socket.end(),
        close: () => failed(new Error('the connection was closed')),
        error: (_, error) => failed(error),
        connectError: (_, error) => failed(error),
      },
    }).catch(failed)
    return promise
  }

  private constructor(socket: Socket) {
    this.#socket = socket
  }

  /** False once it is closed, or about to be. */
  get isUsable(): boolean {
    const isWhole = this.#unsent === undefined // a server may answer before it has read all
    return isWhole && !this.#isClosed && !this.#parser.isLast && this.#parser.isIdle
  }

  /** `head` with its empty line. One request at a time. */
  post(head: string, body: Uint8Array): Promise<HttpReply> {
    const bytes = new Uint8Array(head.length + body.length)
    utf8Encoder.encodeInto(head, bytes) // ASCII: a byte a character
    bytes.set(body, head.length)
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
      if (this.#isClosed) return this.fail(new Error('the connection was closed'))
      this.#send(bytes)
    })
  }

  /** Nobody waits any more: a reply under way can't be told from the next one's. */
  abandon(): void {
    this.fail(new Error('given up'))
    this.#socket.terminate()
  }

  /** Ends it in order, between requests. */
  close(): void {
    this.#isClosed = true
    this.#socket.end()
  }

  fail(why: Error): void {
    this.#isClosed = true
    const last = this.#parser.end()
    const waiting = this.#waiting
    this.#waiting = undefined
    if (waiting === undefined) return
    if (last === undefined) waiting.reject(why)
    else waiting.resolve(last)
  }

  take(piece: Uint8Array): void {
    if (this.#isClosed) return
    try {
      const reply = this.#parser.take(piece)
      if (reply === undefined) return
      if (this.#waiting === undefined) throw new Error('a reply to no request')
      this.idleSinceMs = performance.now()
      const { resolve } = this.#waiting
      this.#waiting = undefined
      resolve(reply)
    } catch (thrown) {
      this.fail(thrown instanceof Error ? thrown : new Error(String(thrown)))
      this.#socket.terminate()
    }
  }

  drain(): void {
    const unsent = this.#unsent
    this.#unsent = undefined
    if (unsent !== undefined && !this.#isClosed) this.#send(unsent)
  }

  #send(bytes: Uint8Array): void {
    const sent = this.#socket.write(bytes)
    if (sent < 0) this.fail(new Error('the connection was closed'))
    else if (sent < bytes.length) this.#unsent = bytes.subarray(sent)
  }
}
