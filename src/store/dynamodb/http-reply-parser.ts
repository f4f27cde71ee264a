/** The bytes of HTTP/1.1 replies on one connection, as they come in pieces, made into replies. */
import { grown } from '../../base/grown.ts'
import { STORE_REPLY_BYTES_MAX } from '../../base/limits.ts'
import type { HttpReply } from './http-transport.ts'

/** Status line and headers; DynamoDB's have a few hundred bytes. */
const HEAD_BYTES_MAX = 16 * 1024
/** The line before a chunk: a length in hex and what nobody uses. */
const CHUNK_LINE_BYTES_MAX = 1024

const CR = 0x0d
const LF = 0x0a
const NO_BYTES = new Uint8Array(0)
/** Whatever bytes a header holds, each is one character. */
const latin1Decoder = new TextDecoder('latin1')

/** What of the reply is awaited. */
type Part = 'head' | 'body' | 'chunk line' | 'chunk' | 'chunk end' | 'trailer' | 'rest'

/** Throws an Error for bytes that are no reply: the connection is then of no more use. */
export class HttpReplyParser {
  #part: Part = 'head'
  /** A line or head that has begun. */
  #begun: Uint8Array = NO_BYTES
  #status = 0
  /** Bytes of the body so far, and of the body or chunk that are still to come. */
  #body: Uint8Array = NO_BYTES
  #used = 0
  #missing = 0
  #isLast = false

  /** True where the server will close the connection after the last reply. */
  get isLast(): boolean {
    return this.#isLast
  }

  /** True between two replies. */
  get isIdle(): boolean {
    return this.#part === 'head' && this.#begun.length === 0
  }

  /**
   * Takes a piece, whose bytes it may keep; returns the reply that it completes. What follows a
   * complete reply was not asked for, and throws.
   */
  take(piece: Uint8Array): HttpReply | undefined {
    let at = 0
    while (at < piece.length || this.#isComplete()) {
      const end = this.#step(piece, at)
      if (this.#isComplete()) {
        if (end < piece.length) throw new Error('bytes after the end of a reply')
        return this.#finish()
      }
      at = end
    }
    return undefined
  }

  /** The connection has ended: a reply of no stated length ends with it. */
  end(): HttpReply | undefined {
    return this.#part === 'rest' ? this.#finish() : undefined
  }

  #isComplete(): boolean {
    return this.#part === 'body' && this.#missing === 0
  }

  #finish(): HttpReply {
    const body = this.#used === this.#body.length ? this.#body : this.#body.subarray(0, this.#used)
    const reply = { status: this.#status, body }
    this.#part = 'head'
    this.#body = NO_BYTES
    this.#used = 0
    return reply
  }

  /** Does what the part at hand needs with the bytes from `at`; returns where it stopped. */
  #step(piece: Uint8Array, at: number): number {
    switch (this.#part) {
      case 'head':
        return this.#takeHead(piece, at)
      case 'body':
      case 'chunk':
        return this.#takeBody(piece, at)
      case 'rest':
        this.#missing = piece.length - at
        this.#reserve(this.#missing)
        return this.#takeBody(piece, at)
      case 'chunk line':
      case 'chunk end':
      case 'trailer':
        return this.#takeLine(piece, at)
    }
  }

  #takeHead(piece: Uint8Array, at: number): number {
    const known = this.#begun.length
    const bytes = known === 0 ? piece.subarray(at) : joined(this.#begun, piece.subarray(at))
    const end = headEnd(bytes)
    if (end > HEAD_BYTES_MAX || (end === -1 && bytes.length > HEAD_BYTES_MAX)) {
      throw new Error(`a reply's head of more than ${HEAD_BYTES_MAX} bytes`)
    }
    if (end === -1) {
      this.#begun = bytes.slice()
      return piece.length
    }
    this.#begun = NO_BYTES
    this.#readHead(bytes.subarray(0, end))
    return at + end - known
  }

  #readHead(bytes: Uint8Array): void {
    const text = latin1Decoder.decode(bytes)
    const [, version = '', status = ''] = /^HTTP\/1\.([01]) (\d{3})[ \r]/.exec(text) ?? []
    if (status === '') throw new Error('a reply that is not HTTP/1.1')
    this.#status = Number(status)
    if (this.#status < 200) return // an interim reply: the one that counts follows
    const head = text.toLowerCase() // names and what is looked for in values alike
    const connection = headerOf(head, 'connection')
    this.#isLast = version === '1' ? connection === 'close' : connection !== 'keep-alive'
    this.#beginBody(headerOf(head, 'transfer-encoding'), headerOf(head, 'content-length'))
  }

  #beginBody(encoding: string, length: string): void {
    if (this.#status === 204 || this.#status === 304) length = '0'
    else if (encoding !== '') {
      if (encoding !== 'chunked') throw new Error(`a reply in transfer encoding ${encoding}`)
      this.#part = 'chunk line'
      return
    } else if (length === '') {
      this.#part = 'rest'
      this.#isLast = true
      return
    }
    if (!/^\d{1,10}$/.test(length)) throw new Error('a reply without a readable length')
    this.#part = 'body'
    this.#missing = Number(length)
    assertBytes(this.#missing)
  }

  #takeBody(piece: Uint8Array, at: number): number {
    const bytes = Math.min(this.#missing, piece.length - at)
    const isWhole = this.#part === 'body' && this.#used === 0 && bytes === this.#missing
    // The usual reply comes in one piece, and is not copied.
    if (isWhole) this.#body = piece.subarray(at, at + bytes)
    else {
      this.#reserve(this.#part === 'body' ? this.#missing : bytes)
      this.#body.set(piece.subarray(at, at + bytes), this.#used)
    }
    this.#used += bytes
    this.#missing -= bytes
    if (this.#part === 'chunk' && this.#missing === 0) this.#part = 'chunk end'
    return at + bytes
  }

  #reserve(bytes: number): void {
    const needed = this.#used + bytes
    assertBytes(needed)
    if (needed <= this.#body.length) return
    const room = this.#part === 'body' ? needed : Math.max(needed, this.#body.length * 2)
    this.#body = grown(this.#body, new Uint8Array(room))
  }

  #takeLine(piece: Uint8Array, at: number): number {
    const lineFeed = piece.indexOf(LF, at)
    const end = lineFeed === -1 ? piece.length : lineFeed + 1
    this.#begun = joined(this.#begun, piece.subarray(at, end))
    if (this.#begun.length > CHUNK_LINE_BYTES_MAX) throw new Error('a chunk line without an end')
    if (lineFeed !== -1) {
      const line = latin1Decoder.decode(this.#begun).replace(/\r?\n$/, '')
      this.#begun = NO_BYTES
      this.#readLine(line)
    }
    return end
  }

  #readLine(line: string): void {
    if (this.#part === 'chunk end') {
      if (line !== '') throw new Error('a chunk longer than it said')
      this.#part = 'chunk line'
    } else if (this.#part === 'trailer') {
      if (line === '') this.#endChunks()
    } else {
      const digits = /^[0-9a-fA-F]{1,8}(?=\s*(;|$))/.exec(line)?.[0]
      if (digits === undefined) throw new Error('a chunk without a length')
      this.#missing = parseInt(digits, 16)
      assertBytes(this.#used + this.#missing)
      this.#part = this.#missing === 0 ? 'trailer' : 'chunk'
    }
  }

  /** The body is whole: as one of stated length would be. */
  #endChunks(): void {
    this.#part = 'body'
    this.#missing = 0
  }
}

function assertBytes(bytes: number): void {
  if (bytes > STORE_REPLY_BYTES_MAX) throw new Error(`a reply of ${bytes} bytes or more`)
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length)
  both.set(first)
  both.set(second, first.length)
  return both
}

/** Just past the empty line that ends the head, or -1. */
function headEnd(bytes: Uint8Array): number {
  for (let at = bytes.indexOf(LF); at !== -1; at = bytes.indexOf(LF, at + 1)) {
    if (bytes[at + 1] === LF) return at + 2
    if (bytes[at + 1] === CR && bytes[at + 2] === LF) return at + 3
  }
  return -1
}

/** Of a head in lower case; '' for one that is not there. */
function headerOf(head: string, name: string): string {
  const at = head.indexOf(`\n${name}:`)
  if (at === -1) return ''
  const start = at + name.length + 2
  const end = head.indexOf('\n', start)
  return head.slice(start, end === -1 ? undefined : end).trim()
}
