/** Reads the serialized messages in which composite values stand in a row: protobuf, as far as feast.types.Value uses it. */
import { corrupt } from './client-error.ts'
import type { ReplyForm, ReplyType } from './reply-types.ts'
import { replyTypeNumbered } from './reply-types.ts'

export type ReplyValue =
  | null
  | boolean
  | number
  /** A 64-bit integer that a number can't hold. */
  | bigint
  | string
  | Uint8Array
  | Float32Array
  | Float64Array
  | Int32Array
  | readonly ReplyValue[]
  | { readonly [key: string]: ReplyValue }

const VARINT = 0
const FIXED64 = 1
const DELIMITED = 2
const FIXED32 = 5

/** Deeper than the server stores; shallow enough for any stack. */
const DEPTH_MAX = 128

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })

/** The value of a heap feature whose bytes are a message. */
export const readMessage = (form: ReplyForm, bytes: Uint8Array): ReplyValue =>
  readForm(form, '', bytes, 0)

function readForm(
  form: ReplyForm,
  element: ReplyForm | '',
  bytes: Uint8Array,
  depth: number,
): ReplyValue {
  if (depth > DEPTH_MAX) throw corrupt(`a value is nested more than ${DEPTH_MAX} deep`)
  switch (form) {
    case 'texts':
      return readEach(bytes, (part) => utf8.decode(part))
    case 'byte-strings':
      return readEach(bytes, (part) => part.slice())
    case 'map':
      return readMap(bytes, depth)
    case 'maps':
      return readEach(bytes, (part) => readMap(part, depth + 1))
    case 'nested':
      return readEach(bytes, (part) => readValue(part, depth + 1))
    case 'zoned':
      return readZoned(bytes)
    default:
      return readNumbers(element === '' ? form : element, bytes)
  }
}

/** The occurrences of field 1. */
function readEach<T>(bytes: Uint8Array, read: (part: Uint8Array) => T): T[] {
  const elements: T[] = []
  const cursor = new MessageCursor(bytes)
  while (cursor.next()) {
    if (cursor.field === 1) elements.push(read(cursor.delimited()))
    else cursor.skip()
  }
  return elements
}

function readMap(bytes: Uint8Array, depth: number): { readonly [key: string]: ReplyValue } {
  // Without a prototype: any text is a key.
  const map: { [key: string]: ReplyValue } = Object.create(null)
  readEach(bytes, (entry) => {
    const cursor = new MessageCursor(entry)
    let key = ''
    let value: ReplyValue = null
    while (cursor.next()) {
      if (cursor.field === 1) key = utf8.decode(cursor.delimited())
      else if (cursor.field === 2) value = readValue(cursor.delimited(), depth + 1)
      else cursor.skip()
    }
    map[key] = value
  })
  return map
}

/** A whole feast.types.Value: without a field that is known it is null. */
function readValue(bytes: Uint8Array, depth: number): ReplyValue {
  const cursor = new MessageCursor(bytes)
  let value: ReplyValue = null
  while (cursor.next()) {
    const type = replyTypeNumbered(cursor.field)
    if (type === undefined) {
      cursor.skip()
      value = null
    } else value = readOneOf(type, cursor, depth)
  }
  return value
}

function readOneOf(type: ReplyType, cursor: MessageCursor, depth: number): ReplyValue {
  switch (type.form) {
    case 'double':
    case 'float':
    case 'int64':
    case 'int32':
    case 'bool':
      return cursor.number(type.form)
    case 'text':
      return utf8.decode(cursor.delimited())
    case 'bytes':
      return cursor.delimited().slice()
    default:
      return readForm(type.form, type.element, cursor.delimited(), depth + 1)
  }
}

/** Packed or one by one: protobuf allows both. */
function readNumbers(form: ReplyForm, bytes: Uint8Array): ReplyValue {
  const values: ReplyValue[] = []
  const cursor = new MessageCursor(bytes)
  while (cursor.next()) {
    if (cursor.field !== 1) cursor.skip()
    else if (cursor.wireType === DELIMITED) {
      const packed = new MessageCursor(cursor.delimited())
      while (!packed.isAtEnd) values.push(packed.bareNumber(form))
    } else values.push(cursor.number(form))
  }
  return values
}

function readZoned(bytes: Uint8Array): ReplyValue {
  const cursor = new MessageCursor(bytes)
  let seconds: ReplyValue = 0
  let zone = ''
  while (cursor.next()) {
    if (cursor.field === 1) seconds = cursor.number('int64')
    else if (cursor.field === 2) zone = utf8.decode(cursor.delimited())
    else cursor.skip()
  }
  return { seconds, zone }
}

class MessageCursor {
  field = 0
  wireType = 0
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length
  }

  /** False at the end; else `field` and `wireType` say what comes. */
  next(): boolean {
    if (this.isAtEnd) return false
    const tag = Number(this.#varint())
    this.field = Math.floor(tag / 8)
    this.wireType = tag % 8
    return true
  }

  delimited(): Uint8Array {
    this.#expect(DELIMITED)
    const bytes = Number(this.#varint())
    const start = this.#take(bytes)
    return this.#bytes.subarray(start, start + bytes)
  }

  /** The number of the field that `next` announced. */
  number(form: ReplyForm): number | bigint | boolean {
    if (form === 'double') this.#expect(FIXED64)
    else if (form === 'float') this.#expect(FIXED32)
    else this.#expect(VARINT)
    return this.bareNumber(form)
  }

  /** A number without a tag before it. */
  bareNumber(form: ReplyForm): number | bigint | boolean {
    if (form === 'double') return this.#view.getFloat64(this.#take(8), true)
    if (form === 'float') return this.#view.getFloat32(this.#take(4), true)
    const signed = BigInt.asIntN(64, this.#varint())
    if (form === 'bool') return signed !== 0n
    const near = Number(signed)
    return Number.isSafeInteger(near) ? near : signed
  }

  skip(): void {
    if (this.wireType === VARINT) this.#varint()
    else if (this.wireType === FIXED64) this.#take(8)
    else if (this.wireType === FIXED32) this.#take(4)
    else this.delimited()
  }

  #varint(): bigint {
    let low = 0
    for (let byte = 0; byte < 4; byte++) {
      const next = this.#bytes[this.#take(1)]!
      low |= (next & 0x7f) << (7 * byte)
      if (next < 0x80) return BigInt(low)
    }
    let value = BigInt(low)
    for (let byte = 4; byte < 10; byte++) {
      const next = this.#bytes[this.#take(1)]!
      value |= BigInt(next & 0x7f) << BigInt(7 * byte)
      if (next < 0x80) return value
    }
    throw corrupt('a number of a message has more than ten bytes')
  }

  /** Steps over so many bytes, which are there, and returns where they begin. */
  #take(bytes: number): number {
    const start = this.#at
    if (bytes > this.#bytes.length - start) throw corrupt('a message ends inside a value')
    this.#at = start + bytes
    return start
  }

  #expect(wireType: number): void {
    if (this.wireType !== wireType)
      throw corrupt(`wire type ${this.wireType} of a message is wrong`)
  }
}
