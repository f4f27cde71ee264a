/** A batch as the body of a write to a server: columns in msgpack, from the bytes of its rows. */
import type { FeatureView, PlainValue } from '../catalog/catalog.ts'
import type { ValueType } from '../catalog/value-type.ts'
import { ByteWriter } from '../codec/byte-writer.ts'
import {
  beginList,
  beginMap,
  writeFloat32,
  writeFloat64,
  writeInt32,
  writeInt64,
  writeInteger,
  writePlain,
} from '../codec/msgpack-values.ts'
import { untyped } from '../row/composite.ts'
import { decodeKey } from '../row/entity-key.ts'
import type { Layout } from '../row/layout.ts'
import { PRESENT, presenceAt } from '../row/layout.ts'
import { asZoned } from '../row/plain-forms.ts'
import { readValue } from '../row/row-reader.ts'
import type { WriteBatch } from '../store/write-batch.ts'
import { ENTRY_TOMBSTONE } from '../store/write-batch.ts'
import { DELETED_MARK } from './row-marks.ts'

const NIL = 0xc0
const FALSE = 0xc2
const TRUE = 0xc3

/** A few times that of the rows: one writer serves all batches. */
const out = new ByteWriter()

/** `timeName` is what the event time is called; the names of features and join keys are the view's. */
export function encodeBatch(
  view: FeatureView,
  layout: Layout,
  timeName: string,
  batch: WriteBatch,
): Uint8Array {
  beginMap(out, 2)
  writePlain(out, 'timestamp_unit')
  writePlain(out, 'us')
  writePlain(out, 'columns')
  const features = view.features.filter(({ name }) => isColumnOfItsOwn(view, name))
  const hasDeletes = batch.kinds.includes(ENTRY_TOMBSTONE)
  beginMap(out, (hasDeletes ? 2 : 1) + view.joinKeys.length + features.length)
  writePlain(out, timeName)
  beginList(out, batch.count)
  for (const timeUs of batch.times) writeInteger(out, timeUs)
  writeKeys(view, batch)
  if (hasDeletes) writeDeletes(batch)
  for (const { name, position } of features) {
    writePlain(out, name)
    beginList(out, batch.count)
    writeFeature(layout, position, batch)
  }
  return out.take()
}

/** A feature may bear a join key's name: then one column holds both. */
const isColumnOfItsOwn = (view: FeatureView, name: string): boolean =>
  view.joinKeys.every((joinKey) => joinKey.name !== name)

function writeKeys(view: FeatureView, batch: WriteBatch): void {
  const keys = Array.from({ length: batch.count }, (_, place) => {
    const start = batch.keyStarts[place]!
    return decodeKey(view.joinKeys, batch.keys.subarray(start, start + batch.keyBytes[place]!))
  })
  view.joinKeys.forEach(({ name }, part) => {
    writePlain(out, name)
    beginList(out, batch.count)
    for (const key of keys) writePlain(out, key[part]!)
  })
}

function writeDeletes(batch: WriteBatch): void {
  writePlain(out, DELETED_MARK)
  beginList(out, batch.count)
  for (const kind of batch.kinds) out.byte(kind === ENTRY_TOMBSTONE ? TRUE : FALSE)
}

function writeFeature(layout: Layout, position: number, batch: WriteBatch): void {
  const { type } = layout.features[position]!
  const words = new Uint32Array(batch.rows.buffer, 0, batch.rows.length >> 2)
  const ints = new Int32Array(words.buffer, 0, words.length)
  for (let place = 0; place < batch.count; place++) {
    const rowStart = batch.rowStarts[place]!
    if (batch.kinds[place] === ENTRY_TOMBSTONE) out.byte(NIL)
    else if (presenceAt(layout, batch.rows, rowStart, position) !== PRESENT) out.byte(NIL)
    else if (type.slotBytes === 0) {
      const value = readValue(layout, batch.rows, rowStart, batch.rowBytes[place]!, position)
      writePlain(out, jsonForm(type, value ?? null))
    } else writeSlot(type, batch.rows, words, ints, rowStart + layout.slots[position]!)
  }
}

function writeSlot(
  type: ValueType,
  bytes: Uint8Array,
  words: Uint32Array,
  ints: Int32Array,
  at: number,
): void {
  const word = at >> 2
  if (type.name === 'FLOAT') writeFloat32(out, words[word]!)
  else if (type.name === 'DOUBLE') writeFloat64(out, words[word]!, words[word + 1]!)
  else if (type.name === 'INT32') writeInt32(out, ints[word]!)
  else if (type.name === 'BOOL') out.byte(bytes[at] === 0 ? FALSE : TRUE)
  else writeInt64(out, words[word]!, ints[word + 1]!)
}

/** A zoned time keeps the name of its zone, which its text would lose. */
function jsonForm(type: ValueType, value: PlainValue): PlainValue {
  if (type.name !== 'ZONED_TIMESTAMP' || value === null) return untyped(type, value)
  return { ...asZoned(value) }
}
