/** The wire of protobuf, as far as feast.types.Value needs it: canonical out, any order in. */
import { Fault } from '../base/fault.ts'
import { highHalf, int64Of, lowHalf } from '../base/int64.ts'
import { grown } from '../base/grown.ts'
import { utf8Decoder, utf8Encoder } from '../base/utf8.ts'
import type { ValueType } from '../catalog/value-type.ts'

export const VARINT = 0
export const FIXED64 = 1
export const DELIMITED = 2
export const FIXED32 = 5

/** How the field of a type stands in feast.types.Value. */
export function wireTypeOf(type: ValueType): number {
  if (type.heapForm !== 'none') return DELIMITED
  if (type.name === 'DOUBLE') return FIXED64
  return type.name === 'FLOAT' ? FIXED32 : VARINT
}

/** Collects one message. Nested messages are written in place and their length set afterwards. */
export class ProtoWriter {
  #bytes = new Uint8Array(256)
  #view = new DataView(this.#bytes.buffer)
  #used = 0

  get used(): number {
    return this.#used
  }

  reset(): void {
    this.#used = 0
  }

  /** A copy of what was written since `start`. */
  slice(start: number): Uint8Array {
    return this.#bytes.slice(start, this.#used)
  }

  /** Forgets what was written since `start`. */
  rewind(start: number): void {
    this.#used = start
  }

  tag(field: number, wireType: number): void {
    this.uint32(field * 8 + wireType)
  }

  uint32(value: number): void {
    this.#reserve(5)
    let rest = value >>> 0
    while (rest > 0x7f) {
      this.#bytes[this.#used++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    this.#bytes[this.#used++] = rest
  }

  /** A signed integer: negatives take ten bytes, whether declared int32 or int64. */
  int64(value: number | bigint): void {
    let low = lowHalf(value)
    let high = highHalf(value) >>> 0
    this.#reserve(10)
    while (high !== 0 || low > 0x7f) {
      this.#bytes[this.#used++] = (low & 0x7f) | 0x80
      low = ((low >>> 7) | (high << 25)) >>> 0
      high >>>= 7
    }
    this.#bytes[this.#used++] = low
  }

  /** NaN is written as the quiet NaN of row/format.md. */
  float(value: number): void {
    this.#reserve(4)
    if (Number.isNaN(value)) this.#view.setUint32(this.#used, 0x7fc0_0000, true)
    else this.#view.setFloat32(this.#used, value, true)
    this.#used += 4
  }

  double(value: number): void {
    this.#reserve(8)
    this.#view.setUint32(this.#used, 0, true)
    if (Number.isNaN(value)) this.#view.setUint32(this.#used + 4, 0x7ff8_0000, true)
    else this.#view.setFloat64(this.#used, value, true)
    this.#used += 8
  }

  /** Length and bytes. */
  bytes(value: Uint8Array): void {
    this.uint32(value.length)
    this.raw(value)
  }

  raw(value: Uint8Array): void {
    this.#reserve(value.length)
    this.#bytes.set(value, this.#used)
    this.#used += value.length
  }

  text(value: string): void {
    const start = this.open()
    this.#reserve(value.length * 3)
    this.#used += utf8Encoder.encodeInto(value, this.#bytes.subarray(this.#used)).written
    this.close(start)
  }

  /** Begins a length-delimited part whose length is not known yet. */
  open(): number {
    this.#reserve(1)
    return this.#used++
  }

  /** Ends the part begun by the `open` that returned `start`. */
  close(start: number): void {
    const length = this.#used - start - 1
    const more = length < 0x80 ? 0 : length < 0x4000 ? 1 : length < 0x20_0000 ? 2 : 3
    if (more > 0) {
      this.#reserve(more)
      this.#bytes.copyWithin(start + 1 + more, start + 1, this.#used)
    }
    this.#used = start
    this.uint32(length)
    this.#used += length
  }

  #reserve(bytes: number): void {
    const needed = this.#used + bytes
    if (needed <= this.#bytes.length) return
    this.#bytes = grown(this.#bytes, new Uint8Array(Math.max(needed, this.#bytes.length * 2)))
    this.#view = new DataView(this.#bytes.buffer)
  }
}

/** Reads one message, or a part of one, and never past its end. */
export class ProtoReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 0
  /** Field number and wire type of the last tag. */
  field = 0
  wireType = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  /** Reads a tag; false at the end. */
  next(): boolean {
    if (this.isAtEnd) return false
    const tag = Number(this.int64())
    this.field = Math.floor(tag / 8)
    this.wireType = tag & 7
    if (this.field < 1) throw this.#damaged('a field number below 1')
    return true
  }

  /** Fails unless the last tag has this wire type. */
  expect(wireType: number): void {
    if (this.wireType !== wireType) {
      throw this.#damaged(`wire type ${this.wireType} in field ${this.field}`)
    }
  }

  int64(): number | bigint {
    let low = 0
    let high = 0
    for (let place = 0; place < 10; place++) {
      if (this.#at >= this.#bytes.length) throw this.#damaged('an integer cut short')
      const byte = this.#bytes[this.#at++]!
      const bits = byte & 0x7f
      if (place < 4) low |= bits << (7 * place)
      else if (place === 4) {
        low |= bits << 28
        high |= bits >> 4
      } else high |= bits << (7 * place - 32)
      if (byte < 0x80) return int64Of(low >>> 0, high | 0)
    }
    throw this.#damaged('an integer longer than ten bytes')
  }

  /** As protobuf reads an int32: the low 32 bits. */
  int32(): number {
    return lowHalf(this.int64()) | 0
  }

  bool(): boolean {
    return this.int64() !== 0
  }

  float(): number {
    const at = this.#skip(4)
    return this.#view.getFloat32(at, true)
  }

  double(): number {
    const at = this.#skip(8)
    return this.#view.getFloat64(at, true)
  }

  /** A view of the part that follows its length. */
  bytes(): Uint8Array {
    const length = Number(this.int64())
    const at = this.#skip(length)
    return this.#bytes.subarray(at, at + length)
  }

  text(): string {
    return utf8Decoder.decode(this.bytes())
  }

  /** Passes over the value of a field that is not known. */
  skipValue(): void {
    if (this.wireType === VARINT) this.int64()
    else if (this.wireType === FIXED64) this.#skip(8)
    else if (this.wireType === DELIMITED) this.bytes()
    else if (this.wireType === FIXED32) this.#skip(4)
    else throw this.#damaged(`wire type ${this.wireType}`)
  }

  #skip(bytes: number): number {
    const at = this.#at
    if (!(bytes >= 0 && bytes <= this.#bytes.length - at)) {
      throw this.#damaged(`${bytes} bytes announced, ${this.#bytes.length - at} left`)
    }
    this.#at = at + bytes
    return at
  }

  #damaged(what: string): Fault {
    return new Fault('store_damaged', `a stored message has ${what}`, {
      where: `byte ${this.#at} of the message`,
    })
  }
}
