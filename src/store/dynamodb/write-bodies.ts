/** Bodies of the calls that a writer of one table makes. */
import { eventTsText } from '../../base/time-text.ts'
import { utf8Encoder } from '../../base/utf8.ts'
import type { Layout } from '../../row/layout.ts'
import { BodyBytes } from './body-bytes.ts'
import type { ItemBody } from './item-body.ts'
import type { SeenVersion } from './seen-version.ts'

/** Ends every text of our one form: of two such texts the later one is the greater. */
const UTC = '+00:00'

const IS_ABSENT = 'attribute_not_exists(entity_id)'
const IS_AS_SEEN = 'event_ts = :seen'
/** An item without a time, or with one that is no text. */
const HAS_NO_TEXT = `attribute_exists(entity_id) AND NOT attribute_type(event_ts, :text)`
const IS_NOT_LATER = `${IS_ABSENT} OR (contains(event_ts, :utc) AND event_ts <= :time)`

type Condition = { readonly expression: string; readonly values: Readonly<Record<string, string>> }

/** That the item is exactly what was seen; where a ledger alone was asked: that it is not later. */
function conditionOf(seen: SeenVersion, timeUs: number): Condition {
  if (seen.isFromLedger) {
    return { expression: IS_NOT_LATER, values: { ':utc': UTC, ':time': eventTsText(timeUs) } }
  }
  if (seen.kind !== 'row') return { expression: IS_ABSENT, values: {} }
  if (seen.timeText === undefined) return { expression: HAS_NO_TEXT, values: { ':text': 'S' } }
  return { expression: IS_AS_SEEN, values: { ':seen': seen.timeText } }
}

/**
 * Features of one update: with names of four digits each they stay under EXPRESSION_BYTES_MAX and under
 * the 300 operators that DynamoDB takes.
 */
const SET_FEATURES_MAX = 200

/** A row with more of them to be set is written whole. */
export const fitsUpdate = (features: number): boolean => features <= SET_FEATURES_MAX

export type BulkWrite = {
  readonly id: string
  readonly isRow: boolean
  readonly timeUs: number
  readonly rows: Uint8Array
  readonly rowStart: number
}

export class WriteBodies {
  readonly #table: string
  readonly #layout: Layout
  readonly #item: ItemBody
  readonly #out = new BodyBytes()

  constructor(table: string, layout: Layout, item: ItemBody) {
    this.#table = table
    this.#layout = layout
    this.#item = item
  }

  put(
    id: string,
    timeUs: number,
    rows: Uint8Array,
    rowStart: number,
    seen: SeenVersion,
  ): Uint8Array {
    const out = this.#begin()
    out.ascii(',"Item":')
    this.#item.appendItem(out, id, timeUs, rows, rowStart)
    this.#condition(conditionOf(seen, timeUs))
    return this.#end()
  }

  delete(id: string, timeUs: number, seen: SeenVersion): Uint8Array {
    this.#begin()
    this.#key(id)
    this.#condition(conditionOf(seen, timeUs))
    return this.#end()
  }

  /** Sets the features marked in `set`, and the time. */
  update(
    id: string,
    timeUs: number,
    row: { readonly rows: Uint8Array; readonly rowStart: number; readonly set: Uint8Array },
    seen: SeenVersion,
  ): Uint8Array {
    const out = this.#begin()
    this.#key(id)
    const positions = Array.from(row.set.keys()).filter((position) => row.set[position] === 1)
    const sets = positions.map((position) => `,#v.#f${position}=:f${position}`).join('')
    const { expression, values } = conditionOf(seen, timeUs)
    out.ascii(`,"UpdateExpression":"SET event_ts=:t${sets}","ConditionExpression":"${expression}"`)
    const names = positions.map((position) => [
      `#f${position}`,
      this.#layout.features[position]!.name,
    ])
    if (positions.length > 0) {
      const byMark = Object.fromEntries([['#v', 'values'], ...names])
      out.raw(utf8Encoder.encode(`,"ExpressionAttributeNames":${JSON.stringify(byMark)}`))
    }
    out.ascii(`,"ExpressionAttributeValues":{":t":{"S":"${eventTsText(timeUs)}"}`)
    this.#values(values, ',')
    for (const position of positions) {
      out.ascii(`,":f${position}":`)
      this.#item.appendValue(out, row.rows, row.rowStart, position)
    }
    out.ascii('},"ReturnValuesOnConditionCheckFailure":"ALL_OLD"')
    return this.#end()
  }

  read(ids: Iterable<string>): Uint8Array {
    return WriteBodies.read(this.#table, ids)
  }

  static read(table: string, ids: Iterable<string>): Uint8Array {
    const keys = Array.from(ids, (id) => `{"entity_id":{"S":${JSON.stringify(id)}}}`).join()
    return utf8Encoder.encode(
      `{"RequestItems":{${JSON.stringify(table)}:{"Keys":[${keys}],"ConsistentRead":true}}}`,
    )
  }

  /** A page of everything that was acknowledged before, from behind a key on. */
  static scan(table: string, start: string | undefined): Uint8Array {
    const from = start === undefined ? '' : `,"ExclusiveStartKey":${start}`
    const name = JSON.stringify(table)
    return utf8Encoder.encode(`{"TableName":${name},"ConsistentRead":true${from}}`)
  }

  /** A BatchWriteItem, which has no conditions. */
  bulk(writes: Iterable<BulkWrite>): Uint8Array {
    const out = this.#out
    out.reset()
    out.ascii('{"RequestItems":{')
    out.jsonText(this.#table)
    let separator = ':['
    for (const { id, isRow, timeUs, rows, rowStart } of writes) {
      out.ascii(separator)
      separator = ','
      if (isRow) {
        out.ascii('{"PutRequest":{"Item":')
        this.#item.appendItem(out, id, timeUs, rows, rowStart)
      } else out.ascii(`{"DeleteRequest":{"Key":{"entity_id":{"S":"${id}"}}`)
      out.ascii('}}')
    }
    out.ascii(']}')
    return this.#end()
  }

  #begin(): BodyBytes {
    this.#out.reset()
    this.#out.ascii('{"TableName":')
    this.#out.jsonText(this.#table)
    return this.#out
  }

  #key(id: string): void {
    this.#out.ascii(`,"Key":{"entity_id":{"S":"${id}"}}`)
  }

  #condition({ expression, values }: Condition): void {
    this.#out.ascii(`,"ConditionExpression":"${expression}"`)
    if (Object.keys(values).length > 0) {
      this.#out.ascii(',"ExpressionAttributeValues":{')
      this.#values(values, '')
      this.#out.ascii('}')
    }
    this.#out.ascii(',"ReturnValuesOnConditionCheckFailure":"ALL_OLD"')
  }

  #values(values: Condition['values'], before: string): void {
    let comma = before
    for (const [mark, text] of Object.entries(values)) {
      this.#out.ascii(`${comma}"${mark}":{"S":`)
      this.#out.jsonText(text)
      this.#out.ascii('}')
      comma = ','
    }
  }

  /** A copy: it is kept until its call is answered, however often that is made. */
  #end(): Uint8Array {
    this.#out.ascii('}')
    return this.#out.view().slice()
  }
}
