/**
 * Requests over connections of our own that are kept between them. The runtime's fetch costs twice the
 * CPU for a reply of a hundred items, most of it for what a call of DynamoDB has no use for.
 *
 * It has no queue: who asks bounds how many requests are under way.
 */
import {
  CONNECT_MS_MAX,
  CONNECTIONS_IDLE_MAX,
  CONNECTIONS_OPENING_MAX,
  CONNECTION_IDLE_MS_MAX,
  CONNECTION_PROBE_MS,
} from '../../base/limits.ts'
import type { HttpTarget } from './http-connection.ts'
import { HttpConnection } from './http-connection.ts'
import type { HttpReply, HttpTransport } from './http-transport.ts'

export class SocketTransport implements HttpTransport {
  readonly #target: HttpTarget
  readonly #firstLines: string
  /** The one used last is used next, so that those of a busy time end when it is over. */
  readonly #idle: HttpConnection[] = []
  /** Begun since one was opened last. The runtime can't take back one that nobody answers. */
  #opening = 0
  #lastBegunMs = -Infinity

  /** `ca`: certificates to trust in place of the system's. */
  constructor(url: URL, ca?: string, connectMsMax: number = CONNECT_MS_MAX) {
    const isSecure = url.protocol === 'https:'
    const port = url.port === '' ? (isSecure ? 443 : 80) : Number(url.port)
    this.#target = {
      hostname: url.hostname.replace(/^\[|\]$/g, ''),
      port,
      isSecure,
      ca,
      connectMsMax,
    }
    this.#firstLines = `POST ${url.pathname} HTTP/1.1\r\nhost: ${url.host}\r\n`
  }

  async post(
    headers: Readonly<Record<string, string>>,
    body: Uint8Array,
    msMax: number,
    signal: AbortSignal | undefined,
  ): Promise<HttpReply> {
    const untilMs = performance.now() + msMax
    if (isAborted(signal)) throw new Error('given up')
    const connection = this.#takeIdle() ?? (await this.#open(msMax, signal))
    const leftMs = untilMs - performance.now()
    if (isAborted(signal) || leftMs <= 0) {
      this.#keep(connection)
      throw new Error('given up')
    }
    const abandon = (): void => connection.abandon()
    const timer = leftMs === Infinity ? undefined : setTimeout(abandon, leftMs)
    signal?.addEventListener('abort', abandon)
    try {
      return await connection.post(this.#head(headers, body.length), body)
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abandon)
      this.#keep(connection)
    }
  }

  #head(headers: Readonly<Record<string, string>>, bytes: number): string {
    let head = this.#firstLines
    for (const name in headers) head += `${name}: ${headers[name]}\r\n`
    return `${head}content-length: ${bytes}\r\n\r\n`
  }

  #takeIdle(): HttpConnection | undefined {
    const sinceMs = performance.now() - CONNECTION_IDLE_MS_MAX
    for (;;) {
      const connection = this.#idle.pop()
      if (connection === undefined) return undefined
      if (connection.isUsable && connection.idleSinceMs > sinceMs) return connection
      connection.close()
    }
  }

  #keep(connection: HttpConnection): void {
    const isKept = connection.isUsable && this.#idle.length < CONNECTIONS_IDLE_MAX
    if (isKept) this.#idle.push(connection)
    else connection.close()
  }

  /** Rejects when its time is over; the connection, once it is there, serves another request. */
  #open(msMax: number, signal: AbortSignal | undefined): Promise<HttpConnection> {
    if (!this.#mayOpen()) throw new Error('connections are not being answered')
    this.#opening++
    this.#lastBegunMs = performance.now()
    const { promise, resolve, reject } = Promise.withResolvers<HttpConnection>()
    let isGivenUp = false
    const giveUp = (): void => {
      isGivenUp = true
      reject(new Error('no connection in time'))
    }
    const timer = msMax === Infinity ? undefined : setTimeout(giveUp, msMax)
    signal?.addEventListener('abort', giveUp)
    HttpConnection.open(this.#target)
      .then(
        (connection) => {
          this.#opening = 0
          if (isGivenUp) this.#keep(connection)
          else resolve(connection)
        },
        (why: unknown) => {
          this.#opening = Math.max(0, this.#opening - 1)
          reject(why)
        },
      )
      .finally(() => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', giveUp)
      })
    return promise
  }

  /** Past the bound only one now and then, to see whether the server is back. */
  #mayOpen(): boolean {
    if (this.#opening < CONNECTIONS_OPENING_MAX) return true
    return performance.now() - this.#lastBegunMs >= CONNECTION_PROBE_MS
  }
}

const isAborted = (signal: AbortSignal | undefined): boolean => signal?.aborted === true
