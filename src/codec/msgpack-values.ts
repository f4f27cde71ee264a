/** Values as msgpack, written straight into bytes. Integers take the fewest bytes that hold them. */
import { highHalf, lowHalf } from '../base/int64.ts'
import { utf8Encoder } from '../base/utf8.ts'
import type { PlainValue } from '../catalog/catalog.ts'
import type { ByteWriter } from './byte-writer.ts'

/** Within 32 bits. */
export function writeInt32(out: ByteWriter, value: number): void {
  let at = out.reserve(5)
  const { bytes } = out
  if (value >= -32 && value < 128) bytes[at++] = value & 0xff
  else if (value >= 0) return writeUint32(out, value)
  else if (value >= -128) {
    bytes[at++] = 0xd0
    bytes[at++] = value & 0xff
  } else if (value >= -32_768) {
    bytes[at++] = 0xd1
    bytes[at++] = (value >> 8) & 0xff
    bytes[at++] = value & 0xff
  } else {
    bytes[at] = 0xd2
    at = writeWord(bytes, at + 1, value)
  }
  out.at = at
}

/** 128 and more. */
function writeUint32(out: ByteWriter, value: number): void {
  let at = out.at
  const { bytes } = out
  if (value < 256) {
    bytes[at++] = 0xcc
    bytes[at++] = value
  } else if (value < 65_536) {
    bytes[at++] = 0xcd
    bytes[at++] = value >>> 8
    bytes[at++] = value & 0xff
  } else {
    bytes[at] = 0xce
    at = writeWord(bytes, at + 1, value)
  }
  out.at = at
}

/** A signed integer from an unsigned low and a signed high half; int64 where 32 bits don't hold it. */
export function writeInt64(out: ByteWriter, low: number, high: number): void {
  const near = high * 2 ** 32 + low
  if (near >= -(2 ** 31) && near < 2 ** 32) {
    // Unsigned: a 32-bit signed shift would make it negative.
    if (near < 128) return writeInt32(out, near)
    out.reserve(5)
    return writeUint32(out, near)
  }
  const at = out.reserve(9)
  out.bytes[at] = 0xd3
  writeWord(out.bytes, writeWord(out.bytes, at + 1, high), low)
  out.at = at + 9
}

export const writeInteger = (out: ByteWriter, value: number | bigint): void =>
  writeInt64(out, lowHalf(value), highHalf(value))

/** A float32 from its bits. */
export function writeFloat32(out: ByteWriter, bits: number): void {
  const at = out.reserve(5)
  out.bytes[at] = 0xca
  out.at = writeWord(out.bytes, at + 1, bits)
}

/** A float64 from the halves of its bits. */
export function writeFloat64(out: ByteWriter, low: number, high: number): void {
  const at = out.reserve(9)
  out.bytes[at] = 0xcb
  out.at = writeWord(out.bytes, writeWord(out.bytes, at + 1, high), low)
}

/** Big-endian; returns the place behind it. */
function writeWord(bytes: Uint8Array, at: number, word: number): number {
  bytes[at] = (word >>> 24) & 0xff
  bytes[at + 1] = (word >>> 16) & 0xff
  bytes[at + 2] = (word >>> 8) & 0xff
  bytes[at + 3] = word & 0xff
  return at + 4
}

/** UTF-8 bytes as a string. */
export function writeText(out: ByteWriter, bytes: Uint8Array, start: number, end: number): void {
  const length = end - start
  if (length < 32) out.byte(0xa0 | length)
  else writeLength(out, length, 0xd9, true)
  out.copy(bytes, start, end)
}

export function writeBin(out: ByteWriter, bytes: Uint8Array, start: number, end: number): void {
  writeLength(out, end - start, 0xc4, true)
  out.copy(bytes, start, end)
}

export function beginMap(out: ByteWriter, entries: number): void {
  if (entries < 16) out.byte(0x80 | entries)
  else writeLength(out, entries, 0xde, false)
}

export function beginList(out: ByteWriter, elements: number): void {
  if (elements < 16) out.byte(0x90 | elements)
  else writeLength(out, elements, 0xdc, false)
}

/** The tags for 8 (where there is one), 16 and 32 bits of length follow each other. */
function writeLength(out: ByteWriter, length: number, tag: number, hasByteForm: boolean): void {
  let at = out.reserve(5)
  const { bytes } = out
  const tag16 = hasByteForm ? tag + 1 : tag
  if (hasByteForm && length < 256) {
    bytes[at++] = tag
    bytes[at++] = length
  } else if (length < 65_536) {
    bytes[at++] = tag16
    bytes[at++] = length >>> 8
    bytes[at++] = length & 0xff
  } else {
    bytes[at] = tag16 + 1
    at = writeWord(bytes, at + 1, length)
  }
  out.at = at
}

const halves = new Uint32Array(2)
const double = new Float64Array(halves.buffer)

/** A value without a schema: what maps and nested lists hold. */
export function writePlain(out: ByteWriter, value: PlainValue): void {
  if (value === null) out.byte(0xc0)
  else if (typeof value === 'boolean') out.byte(value ? 0xc3 : 0xc2)
  else if (typeof value === 'bigint') writeInteger(out, value)
  else if (typeof value === 'number') writeNumber(out, value)
  else if (typeof value === 'string') writeString(out, value)
  else if (value instanceof Uint8Array) writeBin(out, value, 0, value.length)
  else if (isList(value)) {
    beginList(out, value.length)
    for (const element of value) writePlain(out, element)
  } else {
    const keys = Object.keys(value)
    beginMap(out, keys.length)
    for (const key of keys) {
      writeString(out, key)
      writePlain(out, value[key]!)
    }
  }
}

function writeNumber(out: ByteWriter, value: number): void {
  if (Number.isSafeInteger(value) && !Object.is(value, -0)) return writeInteger(out, value)
  double[0] = value
  writeFloat64(out, halves[0]!, halves[1]!)
}

function writeString(out: ByteWriter, text: string): void {
  const bytes = utf8Encoder.encode(text)
  writeText(out, bytes, 0, bytes.length)
}

const isList = (value: object): value is readonly PlainValue[] => Array.isArray(value)
