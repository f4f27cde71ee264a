/** The bytes of an entity key (row/format.md, "Entity key"): written on every read and write. */
import { Fault } from '../base/fault.ts'
import { highHalf, int64Of, isInt64, lowHalf } from '../base/int64.ts'
import { KEY_BYTES_MAX } from '../base/limits.ts'
import { compareUtf8, utf8Decoder, utf8Encoder } from '../base/utf8.ts'
import type { JoinKey, PlainValue } from '../catalog/catalog.ts'
import { DUMMY_JOIN_KEY } from '../catalog/catalog.ts'
import type { KeyTypeName } from '../catalog/value-type.ts'
import { valueType, valueTypeNumbered } from '../catalog/value-type.ts'
import { describeFound } from './describe-found.ts'

/**
 * A key's typed value: STRING text, BYTES a Uint8Array, INT32 a number, INT64 and UNIX_TIMESTAMP
 * (seconds) a number that is exact, or a bigint. Anything else is a Fault.
 */
export type KeyValue = PlainValue

const PART_HEAD_BYTES = 8

const ALLOWED: Readonly<Record<KeyTypeName, string>> = {
  BYTES: 'bytes',
  STRING: 'text',
  INT32: 'an integer from -2147483648 to 2147483647',
  INT64: 'an integer from -9223372036854775808 to 9223372036854775807',
  UNIX_TIMESTAMP: 'seconds since 1970, an integer of 64 bits',
}

/** Feast gives an entityless view one join key with an empty text: its key is the same for all. */
const DUMMY_KEYS: readonly JoinKey[] = [{ name: DUMMY_JOIN_KEY, type: 'STRING' }]
const DUMMY_VALUES: readonly KeyValue[] = ['']

export interface KeyWriter {
  /**
   * Writes the key of `values` (parallel to the join keys) at `start` and returns its bytes. The
   * caller has room there for KEY_BYTES_MAX bytes; after a Fault what stands there is undefined.
   */
  write(values: readonly KeyValue[], target: Uint8Array, start: number): number
}

/** `joinKeys` stand in key order, as in the catalog; none means an entityless view. */
export function makeKeyWriter(joinKeys: readonly JoinKey[]): KeyWriter {
  assertKeyOrder(joinKeys)
  if (joinKeys.length === 0) {
    return { write: (_, target, start) => writeKey(DUMMY_KEYS, DUMMY_VALUES, target, start) }
  }
  return { write: (values, target, start) => writeKey(joinKeys, values, target, start) }
}

function writeKey(
  joinKeys: readonly JoinKey[],
  values: readonly KeyValue[],
  target: Uint8Array,
  start: number,
): number {
  const limit = start + KEY_BYTES_MAX
  let at = start
  for (let place = 0; place < joinKeys.length; place++) {
    at = writePart(joinKeys[place]!, values[place] ?? null, target, at, limit)
  }
  return at - start
}

/** One join key's type, length and value at `at`; returns where the next part begins. */
function writePart(
  joinKey: JoinKey,
  value: KeyValue,
  target: Uint8Array,
  at: number,
  limit: number,
): number {
  if (at + PART_HEAD_BYTES + 8 > limit) checkRoom(joinKey, value, at, limit)
  const valueStart = at + PART_HEAD_BYTES
  switch (joinKey.type) {
    case 'INT64':
    case 'UNIX_TIMESTAMP':
      if (!isInt64(value)) throw wrongValue(joinKey, value)
      writeWord(target, at, joinKey.type === 'INT64' ? 4 : 8)
      writeWord(target, at + 4, 8)
      writeWord(target, valueStart, lowHalf(value))
      writeWord(target, valueStart + 4, highHalf(value))
      return valueStart + 8
    case 'INT32':
      if (typeof value !== 'number' || (value | 0) !== value) throw wrongValue(joinKey, value)
      writeWord(target, at, 3)
      writeWord(target, at + 4, 4)
      writeWord(target, valueStart, value)
      return valueStart + 4
    case 'STRING': {
      if (typeof value !== 'string') throw wrongValue(joinKey, value)
      const bytes = writeText(joinKey, value, target, valueStart, limit)
      writeWord(target, at, 2)
      writeWord(target, at + 4, bytes)
      return valueStart + bytes
    }
    case 'BYTES':
      if (!(value instanceof Uint8Array)) throw wrongValue(joinKey, value)
      if (valueStart + value.length > limit) throw tooLarge(joinKey)
      writeWord(target, at, 1)
      writeWord(target, at + 4, value.length)
      target.set(value, valueStart)
      return valueStart + value.length
  }
}

/** Near the limit: refuses exactly the parts that do not fit. */
function checkRoom(joinKey: JoinKey, value: KeyValue, at: number, limit: number): void {
  const valueBytes = joinKey.type === 'INT32' ? 4 : typeof value === 'string' ? value.length : 8
  const bytes = value instanceof Uint8Array ? value.length : valueBytes
  if (at + PART_HEAD_BYTES + bytes > limit) throw tooLarge(joinKey)
}

function writeText(
  joinKey: JoinKey,
  text: string,
  target: Uint8Array,
  start: number,
  limit: number,
): number {
  const length = text.length
  if (start + length > limit) throw tooLarge(joinKey)
  for (let place = 0; place < length; place++) {
    const unit = text.charCodeAt(place)
    if (unit > 0x7f) return writeWideText(joinKey, text, target, start, limit)
    target[start + place] = unit
  }
  return length
}

function writeWideText(
  joinKey: JoinKey,
  text: string,
  target: Uint8Array,
  start: number,
  limit: number,
): number {
  // Half a surrogate pair has no UTF-8: two such texts would become the same key.
  if (!text.isWellFormed()) throw wrongValue(joinKey, text)
  const { read, written } = utf8Encoder.encodeInto(text, target.subarray(start, limit))
  if (read < text.length) throw tooLarge(joinKey)
  return written
}

function writeWord(target: Uint8Array, at: number, word: number): void {
  target[at] = word
  target[at + 1] = word >>> 8
  target[at + 2] = word >>> 16
  target[at + 3] = word >>> 24
}

function wrongValue(joinKey: JoinKey, value: KeyValue): Fault {
  const message = `join key ${joinKey.name} is ${joinKey.type}, found ${describeFound(value)}`
  return new Fault('invalid_entity', message, {
    where: joinKey.name,
    allowed: ALLOWED[joinKey.type],
  })
}

function tooLarge(joinKey: JoinKey): Fault {
  return new Fault('too_large', `entity key exceeds ${KEY_BYTES_MAX} bytes`, {
    where: joinKey.name,
    allowed: `all join key values together within ${KEY_BYTES_MAX} bytes, 8 more for each`,
  })
}

function assertKeyOrder(joinKeys: readonly JoinKey[]): void {
  for (let place = 1; place < joinKeys.length; place++) {
    if (compareUtf8(joinKeys[place - 1]!.name, joinKeys[place]!.name) >= 0) {
      throw new Error(`join keys out of order at ${joinKeys[place]!.name}`)
    }
  }
}

/** What stands before the key in Feast's serialization: the count and names of the join keys. */
export function keyPrefix(joinKeys: readonly JoinKey[]): Uint8Array {
  assertKeyOrder(joinKeys)
  const keys = joinKeys.length === 0 ? DUMMY_KEYS : joinKeys
  const names = keys.map((key) => utf8Encoder.encode(key.name))
  const bytes = names.reduce((sum, name) => sum + PART_HEAD_BYTES + name.length, 4)
  const prefix = new Uint8Array(bytes)
  writeWord(prefix, 0, keys.length)
  let at = 4
  for (const name of names) {
    writeWord(prefix, at, valueType('STRING').number)
    writeWord(prefix, at + 4, name.length)
    prefix.set(name, at + PART_HEAD_BYTES)
    at += PART_HEAD_BYTES + name.length
  }
  return prefix
}

/** By which a store tells a table from one of the same name with other keys. */
export function keySignature(joinKeys: readonly JoinKey[]): string {
  const keys = joinKeys.length === 0 ? DUMMY_KEYS : joinKeys
  return keys
    .toSorted((a, b) => compareUtf8(a.name, b.name))
    .map((key) => `${key.name}:${key.type}`)
    .join(',')
}

/** The values of a key in the order of `joinKeys`; none for an entityless view. */
export function decodeKey(joinKeys: readonly JoinKey[], bytes: Uint8Array): KeyValue[] {
  const keys = joinKeys.length === 0 ? DUMMY_KEYS : joinKeys
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const values: KeyValue[] = []
  let at = 0
  for (const key of keys) {
    const valueStart = at + PART_HEAD_BYTES
    if (valueStart > bytes.length) throw damagedKey(key, at)
    const type = valueTypeNumbered(view.getUint32(at, true))
    const length = view.getUint32(at + 4, true)
    if (type?.name !== key.type || valueStart + length > bytes.length) throw damagedKey(key, at)
    values.push(decodePart(key, bytes.subarray(valueStart, valueStart + length), at))
    at = valueStart + length
  }
  if (at !== bytes.length) throw damagedKey(keys.at(-1)!, at)
  return joinKeys.length === 0 ? [] : values
}

function decodePart(key: JoinKey, bytes: Uint8Array, at: number): KeyValue {
  if (key.type === 'STRING') return utf8Decoder.decode(bytes)
  if (key.type === 'BYTES') return bytes.slice()
  if (bytes.length !== (key.type === 'INT32' ? 4 : 8)) throw damagedKey(key, at)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (key.type === 'INT32') return view.getInt32(0, true)
  return int64Of(view.getUint32(0, true), view.getInt32(4, true))
}

const damagedKey = (key: JoinKey, at: number): Fault =>
  new Fault('store_damaged', `entity key does not hold ${key.name} as ${key.type}`, {
    where: `byte ${at} of the key`,
  })
