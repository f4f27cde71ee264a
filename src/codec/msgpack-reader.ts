/** A cursor over the msgpack bytes of a request. Written by hand: hostile lengths cost nothing, and every fault has its byte. */
import { Fault } from '../base/fault.ts'
import { int64Of } from '../base/int64.ts'
import type { RequestReader, RequestScalar } from './request-reader.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export class MsgpackReader implements RequestReader {
  readonly bodyBytes: number
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 0
  /** The body with a character for each byte, made when the first text is read. */
  #latin1Text: string | undefined
  /** What is left of each entered container, the innermost last. */
  readonly #left: number[] = []

  constructor(bytes: Uint8Array) {
    this.bodyBytes = bytes.length
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  byteOffset(): number {
    return this.#at
  }

  kind(): 'map' | 'array' | 'scalar' {
    const token = this.#token()
    if ((token & 0xf0) === 0x80 || token === 0xde || token === 0xdf) return 'map'
    return (token & 0xf0) === 0x90 || token === 0xdc || token === 0xdd ? 'array' : 'scalar'
  }

  enterMap(): void {
    // An entry has a key and a value of at least a byte each.
    this.#enter(0x80, 0xde, 2)
  }

  nextKey(): string | undefined {
    if (!this.nextElement()) return undefined
    const start = this.#at
    const key = this.kind() === 'scalar' ? this.readScalar() : undefined
    if (typeof key === 'string') return key
    throw new Fault('invalid_request', 'a map key is not a string', {
      where: `byte ${start}`,
      allowed: 'strings as keys',
    })
  }

  enterArray(): void {
    this.#enter(0x90, 0xdc, 1)
  }

  nextElement(): boolean {
    const depth = this.#left.length - 1
    const left = this.#left[depth]!
    if (left === 0) {
      this.#left.pop()
      return false
    }
    this.#left[depth] = left - 1
    return true
  }

  readScalar(): RequestScalar {
    const token = this.#token()
    if (token < 0x80) {
      this.#at++
      return token
    }
    if (token >= 0xe0) {
      this.#at++
      return token - 0x100
    }
    if ((token & 0xe0) === 0xa0) return this.#readText(1, token & 0x1f)
    return this.#readTagged(token)
  }

  end(): void {
    if (this.#at < this.#bytes.length)
      throw this.#broken('bytes are left after the request', 'the end')
  }

  #readTagged(token: number): RequestScalar {
    const body = this.#at + 1
    switch (token) {
      case 0xc0:
        return this.#step(1, null)
      case 0xc2:
        return this.#step(1, false)
      case 0xc3:
        return this.#step(1, true)
      case 0xc4:
        return this.#readBytes(2, this.#need(1).getUint8(body))
      case 0xc5:
        return this.#readBytes(3, this.#need(2).getUint16(body))
      case 0xc6:
        return this.#readBytes(5, this.#need(4).getUint32(body))
      case 0xca:
        return this.#step(5, this.#need(4).getFloat32(body))
      case 0xcb:
        return this.#step(9, this.#need(8).getFloat64(body))
      case 0xcc:
        return this.#step(2, this.#need(1).getUint8(body))
      case 0xcd:
        return this.#step(3, this.#need(2).getUint16(body))
      case 0xce:
        return this.#step(5, this.#need(4).getUint32(body))
      case 0xcf:
        return this.#readInt64(this.#need(8).getUint32(body))
      case 0xd0:
        return this.#step(2, this.#need(1).getInt8(body))
      case 0xd1:
        return this.#step(3, this.#need(2).getInt16(body))
      case 0xd2:
        return this.#step(5, this.#need(4).getInt32(body))
      case 0xd3:
        return this.#readInt64(this.#need(8).getInt32(body))
      case 0xd9:
        return this.#readText(2, this.#need(1).getUint8(body))
      case 0xda:
        return this.#readText(3, this.#need(2).getUint16(body))
      case 0xdb:
        return this.#readText(5, this.#need(4).getUint32(body))
      case 0xc1:
        throw this.#broken('the byte 0xc1 begins no value', 'a msgpack value')
      default:
        throw new Fault('invalid_request', 'a value is of an extension type', {
          where: `byte ${this.#at}`,
          allowed: 'nil, boolean, integer, float, string, bin, array or map',
        })
    }
  }

  /** Its high half, signed or not, has been read. */
  #readInt64(high: number): number | bigint {
    const low = this.#view.getUint32(this.#at + 5)
    return this.#step(9, int64Of(low, high))
  }

  #token(): number {
    const token = this.#bytes[this.#at]
    if (token === undefined) throw this.#broken('the bytes end', 'a value')
    return token
  }

  #enter(smallTag: number, tag16: number, entryBytesMin: number): void {
    const token = this.#token()
    let count = token & 0x0f
    let head = 1
    if (token === tag16) {
      count = this.#need(2).getUint16(this.#at + 1)
      head = 3
    } else if (token === tag16 + 1) {
      count = this.#need(4).getUint32(this.#at + 1)
      head = 5
    } else if ((token & 0xf0) !== smallTag) {
      throw this.#broken(
        'another kind of value stands here',
        smallTag === 0x80 ? 'a map' : 'an array',
      )
    }
    if (count * entryBytesMin > this.#bytes.length - this.#at - head) {
      throw this.#broken(`the bytes end before ${count} entries`, 'all of its entries')
    }
    this.#at += head
    // A map's entries are counted by their keys alone: its values are read in between.
    this.#left.push(count)
  }

  #readText(head: number, length: number): string {
    const start = this.#at + head
    const bytes = this.#bytes
    this.#skipBytes(head, length)
    let bits = 0
    for (let at = start; at < this.#at; at++) bits |= bytes[at]!
    // Cut from one string of the whole body: a call of the decoder for each text costs five times as much.
    if (bits < 0x80) return this.#latin1().slice(start, this.#at)
    try {
      return utf8.decode(bytes.subarray(start, this.#at))
    } catch (cause) {
      throw new Fault('malformed', 'msgpack is broken: a string is not UTF-8', {
        where: `byte ${start}`,
        allowed: 'UTF-8',
        cause,
      })
    }
  }

  #latin1(): string {
    const { buffer, byteOffset, byteLength } = this.#bytes
    this.#latin1Text ??= Buffer.from(buffer, byteOffset, byteLength).toString('latin1')
    return this.#latin1Text
  }

  #readBytes(head: number, length: number): Uint8Array {
    this.#skipBytes(head, length)
    return this.#bytes.subarray(this.#at - length, this.#at)
  }

  #skipBytes(head: number, length: number): void {
    const start = this.#at + head
    if (length > this.#bytes.length - start) {
      throw this.#broken(`the bytes end inside a value of ${length} bytes`, 'all of its bytes')
    }
    this.#at = start + length
  }

  /** The view, if so many bytes follow the token. */
  #need(bytes: number): DataView {
    if (this.#at + 1 + bytes > this.#bytes.length) {
      throw this.#broken('the bytes end inside a value', `${bytes} more`)
    }
    return this.#view
  }

  #step<T>(bytes: number, value: T): T {
    this.#at += bytes
    return value
  }

  #broken(what: string, allowed: string): Fault {
    return new Fault('malformed', `msgpack is broken: ${what}`, {
      where: `byte ${this.#at}`,
      allowed,
    })
  }
}
