/** Finds where an HTTP/1.1 reply ends: by its content-length, or by its chunks. */

const HEADER_END = '\r\n\r\n'
const LINE_END = 0x0a
const NOTHING = new Uint8Array(0)

export class ReplyReader {
  status = 0
  /** What the body holds; the frames of chunks are not counted. */
  bodyBytes = 0
  #header: Uint8Array = NOTHING
  #isHeader = true
  #isChunked = false
  /** Bytes still to come: of the body, or of the chunk and its line end. */
  #missing = 0
  /** Of a chunk's line that came in part. */
  #sizeText = ''
  #isLastChunk = false

  /** A new reply is expected. */
  begin(): void {
    this.bodyBytes = 0
    this.#header = NOTHING
    this.#isHeader = true
    this.#sizeText = ''
    this.#isLastChunk = false
  }

  /** Whether the reply ends with these bytes. */
  read(bytes: Uint8Array): boolean {
    if (!this.#isHeader) return this.#readBody(bytes, 0)
    const header = Buffer.concat([this.#header, bytes])
    const end = header.indexOf(HEADER_END)
    if (end < 0) {
      this.#header = header
      return false
    }
    this.#readHeader(header.toString('latin1', 0, end))
    return this.#readBody(header, end + HEADER_END.length)
  }

  #readHeader(text: string): void {
    this.status = Number(text.slice(9, 12))
    this.#isHeader = false
    this.#isChunked = /\r\ntransfer-encoding: ?chunked/i.test(text)
    this.#missing = this.#isChunked ? 0 : Number(/content-length: ?(\d+)/i.exec(text)?.[1] ?? 0)
    this.bodyBytes = this.#missing
  }

  #readBody(bytes: Uint8Array, from: number): boolean {
    if (this.#isChunked) return this.#readChunks(bytes, from)
    this.#missing -= bytes.length - from
    return this.#missing === 0
  }

  #readChunks(bytes: Uint8Array, from: number): boolean {
    let at = from
    while (at < bytes.length) {
      if (this.#missing === 0) {
        at = this.#readSize(bytes, at)
        continue
      }
      const taken = Math.min(this.#missing, bytes.length - at)
      this.#missing -= taken
      at += taken
    }
    return this.#isLastChunk && this.#missing === 0
  }

  /** Behind the last chunk, of size 0, stands an empty line: the servers measured send no trailers. */
  #readSize(bytes: Uint8Array, from: number): number {
    const end = bytes.indexOf(LINE_END, from)
    const to = end < 0 ? bytes.length : end + 1
    this.#sizeText += Buffer.from(bytes.subarray(from, to)).toString('latin1')
    if (end < 0) return to
    const size = Number.parseInt(this.#sizeText, 16)
    this.#sizeText = ''
    this.bodyBytes += size
    this.#missing = size + '\r\n'.length
    this.#isLastChunk = size === 0
    return to
  }
}
