/** A TCP connection for what an HTTP client would not send: half bodies, many requests at once. */

export type RawReply = { readonly status: number; readonly headers: Headers; readonly body: string }

const EMPTY = Buffer.alloc(0)

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

  /** The next whole reply with a declared length. Rejects if the connection ends before. */
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
    const end = headEnd + 4 + Number(headers.get('content-length') ?? 0)
    if (text.length < end) return undefined
    const body = this.#received.subarray(headEnd + 4, end).toString()
    this.#received = this.#received.subarray(end)
    return { status: Number(first!.split(' ')[1]), headers, body }
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
