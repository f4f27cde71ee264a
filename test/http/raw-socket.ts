/** A TCP connection for what an HTTP client would not send: half bodies, many requests at once. */

export type RawReply = { readonly status: number; readonly headers: Headers; readonly body: string }

const EMPTY = Buffer.alloc(0)

/** Just past the last chunk and its empty line, or -1 while it has not come. */
function chunksEnd(text: string, start: number): number {
  for (let at = start; ;) {
    const lineEnd = text.indexOf('\r\n', at)
    if (lineEnd === -1) return -1
    const bytes = parseInt(text.slice(at, lineEnd), 16)
    at = lineEnd + 2 + bytes + 2
    if (bytes === 0) return at
  }
}

function withoutChunks(sent: Buffer): Buffer {
  const parts: Buffer[] = []
  for (let at = 0; ;) {
    const lineEnd = sent.indexOf('\r\n', at)
    const bytes = parseInt(sent.toString('latin1', at, lineEnd), 16)
    if (bytes === 0) return Buffer.concat(parts)
    parts.push(sent.subarray(lineEnd + 2, lineEnd + 2 + bytes))
    at = lineEnd + 2 + bytes + 2
  }
}

export class RawSocket {
  #received: Buffer = EMPTY
  #isClosed = false
  #changed = Promise.withResolvers<void>()
  #socket: Bun.Socket | undefined

  static async open(url: string): Promise<RawSocket> {
    const { hostname, port } = new URL(url)
    const raw = new RawSocket()
    raw.#socket = await Bun.connect({
      hostname,
      port: Number(port),
      socket: {
        data: (_socket, data) => raw.#note(Buffer.from(data)),
        close: () => raw.#end(),
        error: () => raw.#end(),
      },
    })
    return raw
  }

  send(text: string): void {
    this.#socket?.write(text)
    this.#socket?.flush()
  }

  close(): void {
    this.#socket?.terminate()
  }

  /** The next whole reply. Rejects if the connection ends before. */
  async receive(): Promise<RawReply> {
    for (;;) {
      const reply = this.#takeReply()
      if (reply !== undefined) return reply
      if (this.#isClosed) throw new Error(`closed after ${JSON.stringify(String(this.#received))}`)
      await this.#changed.promise
    }
  }

  async untilClosed(): Promise<void> {
    while (!this.#isClosed) await this.#changed.promise
  }

  #takeReply(): RawReply | undefined {
    const text = this.#received.toString('latin1')
    const headEnd = text.indexOf('\r\n\r\n')
    if (headEnd === -1) return undefined
    const [first, ...lines] = text.slice(0, headEnd).split('\r\n')
    const headers = new Headers(
      lines.map((line): [string, string] => {
        const colon = line.indexOf(':')
        return [line.slice(0, colon), line.slice(colon + 1).trim()]
      }),
    )
    const start = headEnd + 4
    const isChunked = headers.get('transfer-encoding') === 'chunked'
    const length = headers.get('content-length')
    // As HTTP/1.0 has it: what says nothing of its length ends with the connection.
    if (!isChunked && length === null && first!.includes(' 200 ') && !this.#isClosed)
      return undefined
    const end = isChunked ? chunksEnd(text, start) : start + Number(length ?? text.length - start)
    if (end === -1 || text.length < end) return undefined
    const sent = this.#received.subarray(start, end)
    const body = isChunked ? withoutChunks(sent) : sent
    this.#received = this.#received.subarray(end)
    return { status: Number(first!.split(' ')[1]), headers, body: body.toString() }
  }

  #note(data: Buffer): void {
    this.#received = Buffer.concat([this.#received, data])
    this.#wake()
  }

  #end(): void {
    this.#isClosed = true
    this.#wake()
  }

  #wake(): void {
    const { resolve } = this.#changed
    this.#changed = Promise.withResolvers()
    resolve()
  }
}
