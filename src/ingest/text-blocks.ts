/** The bytes of a text file in blocks of about a mebibyte, unpacked where its name ends in .gz. */
import { createReadStream } from 'node:fs'
import type { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { Fault } from '../base/fault.ts'
import { TEXT_BLOCK_BYTES, TEXT_ROW_BYTES_MAX } from '../base/limits.ts'

export type TextBlock = {
  /** What was left over, and what came after it. */
  readonly bytes: Uint8Array
  readonly isLast: boolean
  readonly fileBytesRead: number
}

export const isGzip = (path: string): boolean => path.endsWith('.gz')

/**
 * Reads a file block by block. The caller says how many bytes of a block it has used up; the others
 * come again at the front of the next one.
 */
export class TextBlocks {
  readonly #path: string
  readonly #file: ReturnType<typeof createReadStream>
  readonly #parts: AsyncIterator<Buffer>
  #rest: Uint8Array = new Uint8Array(0)
  #isDone = false

  constructor(path: string) {
    this.#path = path
    this.#file = createReadStream(path, { highWaterMark: TEXT_BLOCK_BYTES })
    this.#parts = (isGzip(path) ? unpacked(this.#file) : this.#file)[Symbol.asyncIterator]()
  }

  /** The next block, or undefined where the last one was used up. */
  async next(): Promise<TextBlock | undefined> {
    if (this.#isDone && this.#rest.length === 0) return undefined
    const parts = [this.#rest]
    let bytes = this.#rest.length
    const enough = bytes + TEXT_BLOCK_BYTES
    while (bytes < enough && !this.#isDone) {
      const part = await this.#read()
      this.#isDone = part === undefined
      if (part === undefined) continue
      parts.push(part)
      bytes += part.length
    }
    this.#rest = Buffer.concat(parts, bytes)
    return { bytes: this.#rest, isLast: this.#isDone, fileBytesRead: this.#file.bytesRead }
  }

  /** Keeps the bytes of the last block from `used` on. Those of one row have to fit its bound. */
  keepFrom(used: number, firstRow: number): void {
    this.#rest = this.#rest.subarray(used)
    if (this.#rest.length <= TEXT_ROW_BYTES_MAX) return
    throw new Fault('source_invalid', `row ${firstRow} does not end`, {
      where: this.#path,
      allowed: `rows of at most ${TEXT_ROW_BYTES_MAX} bytes of text`,
    })
  }

  close(): void {
    this.#file.destroy()
  }

  async #read(): Promise<Buffer | undefined> {
    try {
      const { done, value } = await this.#parts.next()
      return done ? undefined : value
    } catch (cause) {
      throw unreadable(this.#path, cause)
    }
  }
}

/** A fault of the file ends the unpacking too: a pipe alone would let it wait for ever. */
function unpacked(file: Readable): AsyncIterable<Buffer> {
  const gunzip = createGunzip()
  file.on('error', (cause) => gunzip.destroy(cause))
  return file.pipe(gunzip)
}

function unreadable(path: string, cause: unknown): Fault {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new Fault('source_invalid', `can't be read: ${reason}`, { where: path, cause })
}
