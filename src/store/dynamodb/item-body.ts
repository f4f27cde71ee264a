/**
 * A row as the item that Feast would have written: `entity_id`, `event_ts` and the map `values`, as
 * JSON for PutItem and UpdateItem. An ItemBody serves one layout; nothing is kept between its calls.
 */
import { eventTsText } from '../../base/time-text.ts'
import { utf8Encoder } from '../../base/utf8.ts'
import type { ValueTypeName } from '../../catalog/value-type.ts'
import type { Layout } from '../../row/layout.ts'
import { ABSENT, PRESENT, presenceAt } from '../../row/layout.ts'
import { base64Bytes, encodeBase64 } from './base64-bytes.ts'
import type { BodyBytes } from './body-bytes.ts'
import { ValueBytes } from './value-bytes.ts'

/** `entity_id` and its 32 characters; `event_ts` without its text; `values` with a map's own 3. */
const ID_BYTES = 9 + 32
const TIME_NAME_BYTES = 8
const VALUES_BYTES = 6 + 3
/** DynamoDB counts one for each entry of a map. */
const ENTRY_BYTES = 1

const WRITE_UNIT_BYTES = 1024

/** What DynamoDB bills for writing an item of so many bytes. */
export const writeUnits = (itemBytes: number): number =>
  Math.max(1, Math.ceil(itemBytes / WRITE_UNIT_BYTES))

export class ItemBody {
  readonly #layout: Layout
  readonly #value: ValueBytes
  /** For each feature its name in JSON, and the bytes that DynamoDB counts for it. */
  readonly #names: readonly Uint8Array[]
  readonly #nameBytes: Uint32Array
  /** Bytes of a feature's Value where all that are present have as many; else 0. */
  readonly #valueBytes: Uint8Array

  constructor(layout: Layout) {
    this.#layout = layout
    this.#value = new ValueBytes(layout)
    this.#names = layout.features.map(({ name }) => utf8Encoder.encode(JSON.stringify(name)))
    this.#nameBytes = Uint32Array.from(
      layout.features,
      ({ name }) => utf8Encoder.encode(name).length,
    )
    this.#valueBytes = Uint8Array.from(layout.features, ({ type }) => VALUE_BYTES[type.name] ?? 0)
  }

  /** The whole item, as the value of `Item`. `id` is the entity_id. */
  appendItem(out: BodyBytes, id: string, timeUs: number, row: Uint8Array, rowStart: number): void {
    out.ascii(`{"entity_id":{"S":"${id}"},"event_ts":{"S":"${eventTsText(timeUs)}"},"values":`)
    this.appendValues(out, row, rowStart)
    out.ascii('}')
  }

  /** `{"M":{…}}` of the features that are present or null. */
  appendValues(out: BodyBytes, row: Uint8Array, rowStart: number): void {
    out.ascii('{"M":{')
    let isFirst = true
    for (let position = 0; position < this.#names.length; position++) {
      if (presenceAt(this.#layout, row, rowStart, position) === ABSENT) continue
      if (!isFirst) out.ascii(',')
      isFirst = false
      out.raw(this.#names[position]!)
      out.ascii(':')
      this.appendValue(out, row, rowStart, position)
    }
    out.ascii('}}')
  }

  /** `{"B":"…"}` of one feature that is present or null: of an update that sets it alone. */
  appendValue(out: BodyBytes, row: Uint8Array, rowStart: number, position: number): void {
    this.#value.make(row, rowStart, position)
    const { bytes, used } = this.#value
    out.ascii('{"B":"')
    const at = out.reserve(base64Bytes(used))
    out.used = encodeBase64(bytes, 0, used, out.bytes, at)
    out.ascii('"}')
  }

  /** Bytes of the item as DynamoDB counts them, for its bill and for its bound of 400 KB. */
  itemBytes(timeUs: number, row: Uint8Array, rowStart: number): number {
    let bytes = ID_BYTES + TIME_NAME_BYTES + timeTextBytes(timeUs) + VALUES_BYTES
    for (let position = 0; position < this.#names.length; position++) {
      const presence = presenceAt(this.#layout, row, rowStart, position)
      if (presence === ABSENT) continue
      bytes += this.#nameBytes[position]! + ENTRY_BYTES
      if (presence === PRESENT) bytes += this.#presentBytes(row, rowStart, position)
    }
    return bytes
  }

  #presentBytes(row: Uint8Array, rowStart: number, position: number): number {
    const bytes = this.#valueBytes[position]!
    if (bytes > 0) return bytes
    this.#value.make(row, rowStart, position)
    return this.#value.used
  }
}

/** A tag of one byte, and the number. */
const VALUE_BYTES: { readonly [type in ValueTypeName]?: number } = { FLOAT: 5, DOUBLE: 9, BOOL: 2 }

/** Of eventTsText: with six digits of a fraction, or without. */
const timeTextBytes = (timeUs: number): number => (timeUs % 1_000_000 === 0 ? 25 : 32)
