/** The items that the stub serves, in Feast's layout, and what they hold: all of it from the id alone. */
import { makeRandom } from '../random.ts'
import { entityId } from '../../src/row/entity-id.ts'
import { keyPrefix, makeKeyWriter } from '../../src/row/entity-key.ts'

export const STUB_TABLE = 'bench.documents'
export const STUB_VIEW = 'documents'
export const STUB_FEATURES = 50
/** Ids 0 and up; those past it have no item. */
export const STUB_ROWS = 20_000

/** Event time of every item. */
export const STUB_EVENT_TEXT = '2026-08-20 10:00:00+00:00'
export const STUB_EVENT_US = 1_787_220_000_000_000

export const STUB_JOIN_KEYS = [{ name: 'document_id', type: 'INT64' }] as const

export const ENTITY_ID_CHARS = 32

const prefix = keyPrefix(STUB_JOIN_KEYS)
const writer = makeKeyWriter(STUB_JOIN_KEYS)
const key = new Uint8Array(2048)

export function stubEntityId(id: number): string {
  return entityId(prefix, key.subarray(0, writer.write([id], key, 0)))
}

/** The Float32 features of one item, in order. */
export function stubValues(id: number): Float32Array {
  const random = makeRandom(id)
  return Float32Array.from({ length: STUB_FEATURES }, () => random() * 100)
}

/** As DynamoDB's JSON writes it. */
export function stubItem(id: number): string {
  const features = Array.from(stubValues(id), (value, at) => `"f${at}":{"B":"${valueText(value)}"}`)
  return (
    `{"entity_id":{"S":"${stubEntityId(id)}"},"event_ts":{"S":"${STUB_EVENT_TEXT}"},` +
    `"values":{"M":{${features.join(',')}}}}`
  )
}

const value = new Uint8Array(5)
const valueView = new DataView(value.buffer)

/** A feast.types.Value with float_val, in base64. */
function valueText(float: number): string {
  value[0] = 0x35
  valueView.setFloat32(1, float, true)
  return value.toBase64()
}
