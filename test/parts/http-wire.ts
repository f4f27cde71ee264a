/** As much of HTTP/1.1 as a proxy of calls needs: requests off a socket, replies onto it. */

export type WireRequest = {
  readonly method: string
  readonly path: string
  /** By lower-case name. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: Uint8Array<ArrayBuffer>
}

export type WireReply = {
  readonly status: number
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: Uint8Array
}

const HEAD_END = '\r\n\r\n'

/** Collects what a socket receives. Bodies have a length: every client of DynamoDB sends one. */
export class RequestReader {
  #received = Buffer.alloc(0)

  push(bytes: Uint8Array): void {
    this.#received = Buffer.concat([this.#received, bytes])
  }

  /** The next whole request, or undefined as long as something of it is missing. */
  take(): WireRequest | undefined {
    const received = this.#received
    const headEnd = received.indexOf(HEAD_END)
    if (headEnd === -1) return undefined
    const [first = '', ...lines] = received.toString('latin1', 0, headEnd).split('\r\n')
    const headers = new Map(lines.map(parseHeader))
    if (headers.has('transfer-encoding')) throw new Error('a request without a length')
    const start = headEnd + HEAD_END.length
    const end = start + Number(headers.get('content-length') ?? 0)
    if (received.length < end) return undefined
    this.#received = received.subarray(end)
    const [method = '', path = ''] = first.split(' ')
    return { method, path, headers, body: Uint8Array.from(received.subarray(start, end)) }
  }
}

function parseHeader(line: string): [name: string, value: string] {
  const colon = line.indexOf(':')
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
}

/** The head says how long the body is, whatever the reply's headers said of it. */
export function encodeReply({ status, headers, body }: WireReply): Buffer {
  const kept = headers.filter(([name]) => !OF_ONE_HOP.has(name))
  const lines = [
    `HTTP/1.1 ${status} ${status === 200 ? 'OK' : 'Refused'}`,
    ...kept.map(([name, value]) => `${name}: ${value}`),
    `content-length: ${body.length}`,
  ]
  return Buffer.concat([Buffer.from(lines.join('\r\n') + HEAD_END, 'latin1'), body])
}

/** What holds between two ends of a connection only. */
export const OF_ONE_HOP: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'keep-alive',
  'transfer-encoding',
])
