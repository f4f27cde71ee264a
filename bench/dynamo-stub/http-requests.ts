/** Takes HTTP/1.1 requests out of a connection's bytes. */

/** Of one request: 100 keys are 6 KB, a written row of 50 features 2 KB. */
const REQUEST_BYTES_MAX = 1024 * 1024

const HEADER_END = Buffer.from('\r\n\r\n')
const NOTHING = Buffer.alloc(0)

export type HttpRequest = {
  /** DynamoDB's operation. */
  readonly operation: string
  /** The body stands here. */
  readonly bytes: Buffer
  readonly bodyStart: number
  readonly bodyEnd: number
}

export class HttpRequests {
  #arrived: Buffer = NOTHING

  /** Calls `answer` for each whole request of what came. Its bytes are valid during the call. */
  receive(chunk: Buffer, answer: (request: HttpRequest) => void): void {
    let bytes = this.#arrived.length === 0 ? chunk : Buffer.concat([this.#arrived, chunk])
    for (let request = parse(bytes); request !== undefined; request = parse(bytes)) {
      answer(request)
      bytes = bytes.subarray(request.bodyEnd)
    }
    if (bytes.length > REQUEST_BYTES_MAX) throw new Error('a request that never ends')
    this.#arrived = bytes.length === 0 ? NOTHING : bytes === chunk ? Buffer.from(bytes) : bytes
  }
}

function parse(bytes: Buffer): HttpRequest | undefined {
  const end = bytes.indexOf(HEADER_END)
  if (end < 0) return undefined
  const head = bytes.toString('latin1', 0, end)
  const length = /\r\ncontent-length: ?(\d+)/i.exec(head)?.[1]
  const bodyStart = end + HEADER_END.length
  const bodyEnd = bodyStart + Number(length ?? 0)
  if (bytes.length < bodyEnd) return undefined
  const operation = /\r\nx-amz-target: ?\w+\.(\w+)/i.exec(head)?.[1] ?? ''
  return { operation, bytes, bodyStart, bodyEnd }
}
