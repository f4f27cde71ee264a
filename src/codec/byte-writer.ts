/** A growing buffer that text and msgpack replies are written into; what is handed out is a copy. */
import { Fault } from '../base/fault.ts'
import { grown } from '../base/grown.ts'
import { REPLY_BYTES_MAX } from '../base/limits.ts'

const START_BYTES = 64 * 1024
/** A larger buffer is let go after its reply: few replies need one. */
const KEPT_BYTES_MAX = 4 * 1024 * 1024

export class ByteWriter {
  /** Written by the caller between `reserve` and setting `at`; another array after each `reserve`. */
  bytes = new Uint8Array(START_BYTES)
  at = 0

  /** Makes room for so many bytes at `at`, which it returns. */
  reserve(bytes: number): number {
    const end = this.at + bytes
    if (end > this.bytes.length) this.#grow(end)
    return this.at
  }

  byte(value: number): void {
    const at = this.reserve(1)
    this.bytes[at] = value
    this.at = at + 1
  }

  raw(source: Uint8Array): void {
    this.copy(source, 0, source.length)
  }

  copy(source: Uint8Array, start: number, end: number): void {
    const bytes = end - start
    let at = this.reserve(bytes)
    const target = this.bytes
    // A view and a call of set() cost as much as some thirty of these steps.
    if (bytes > 32) target.set(source.subarray(start, end), at)
    else for (let from = start; from < end; from++) target[at++] = source[from]!
    this.at += bytes
  }

  /** Every character must be one byte of ASCII. */
  ascii(text: string): void {
    const at = this.reserve(text.length)
    const target = this.bytes
    for (let place = 0; place < text.length; place++) target[at + place] = text.charCodeAt(place)
    this.at = at + text.length
  }

  /** A copy of everything written, in a buffer of its own; the writer starts anew. */
  take(): Uint8Array {
    const whole = this.bytes.slice(0, this.at)
    this.reset()
    return whole
  }

  reset(): void {
    this.at = 0
    if (this.bytes.length > KEPT_BYTES_MAX) this.bytes = new Uint8Array(START_BYTES)
  }

  #grow(bytes: number): void {
    if (bytes > REPLY_BYTES_MAX) throw replyTooLarge()
    this.bytes = grown(this.bytes, new Uint8Array(Math.max(bytes, this.bytes.length * 2)))
  }
}

export const replyTooLarge = (): Fault =>
  new Fault('too_large', 'the reply would be too large', {
    allowed: `at most ${REPLY_BYTES_MAX} bytes: ask for fewer rows or features`,
  })
