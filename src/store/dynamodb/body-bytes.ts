/** The bytes of a request under construction. Whoever hands them to a call lets them be until it ends. */
import { grown } from '../../base/grown.ts'
import { utf8Encoder } from '../../base/utf8.ts'

export class BodyBytes {
  /** Written by the caller between `reserve` and setting `used`; another array after each `reserve`. */
  bytes = new Uint8Array(4096)
  used = 0

  reset(): void {
    this.used = 0
  }

  /** Makes room for so many bytes at `used`, which it returns. */
  reserve(bytes: number): number {
    const needed = this.used + bytes
    if (needed > this.bytes.length) {
      this.bytes = grown(this.bytes, new Uint8Array(Math.max(needed, this.bytes.length * 2)))
    }
    return this.used
  }

  raw(source: Uint8Array): void {
    const at = this.reserve(source.length)
    this.bytes.set(source, at)
    this.used = at + source.length
  }

  /** Every character must be one byte of ASCII. */
  ascii(text: string): void {
    const at = this.reserve(text.length)
    const target = this.bytes
    for (let place = 0; place < text.length; place++) target[at + place] = text.charCodeAt(place)
    this.used = at + text.length
  }

  /** A JSON string with its quotes. */
  jsonText(text: string): void {
    this.raw(utf8Encoder.encode(JSON.stringify(text)))
  }

  /** A view of what was written: valid until the next write. */
  view(): Uint8Array {
    return this.bytes.subarray(0, this.used)
  }
}
