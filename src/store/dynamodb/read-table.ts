/** A table as one plan reads it: its place in DynamoDB, the layout of its rows, what is asked of an item. */
import { EXPRESSION_BYTES_MAX } from '../../base/limits.ts'
import { utf8Encoder } from '../../base/utf8.ts'
import type { JoinKey } from '../../catalog/catalog.ts'
import { KEY_TYPES, isKeyType } from '../../catalog/value-type.ts'
import type { EntityIds } from '../../row/entity-id.ts'
import type { Layout } from '../../row/layout.ts'
import type { ItemScanner } from './item-scanner.ts'

export type ReadTable = {
  /** The table's name in DynamoDB, and in JSON with its quotes. */
  readonly dynamoName: string
  readonly nameJson: Uint8Array
  readonly layout: number
  readonly ids: EntityIds
  readonly scanner: ItemScanner
  /** What stands behind `Keys` in a request: how consistent, and which attributes. */
  readonly optionsJson: Uint8Array
}

export function makeReadTable(asked: {
  readonly dynamoName: string
  readonly layoutNumber: number
  /** Those of the table's join keys, and of the layout: tables that have the same share them. */
  readonly ids: EntityIds
  readonly scanner: ItemScanner
  /** Positions of the features that are wanted; undefined: the whole item. */
  readonly features: Uint32Array | undefined
  readonly consistentReads: boolean
}): ReadTable {
  const projection = asked.features && projectionOf(asked.scanner.layout, asked.features)
  const options = { ConsistentRead: asked.consistentReads, ...projection }
  return {
    dynamoName: asked.dynamoName,
    nameJson: utf8Encoder.encode(JSON.stringify(asked.dynamoName)),
    layout: asked.layoutNumber,
    ids: asked.ids,
    scanner: asked.scanner,
    optionsJson: utf8Encoder.encode(JSON.stringify(options).slice(1, -1)),
  }
}

/** A name may hold a colon and a comma itself: it ends where a type of a key follows. */
const JOIN_KEY = new RegExp(`^([^]*?):(${KEY_TYPES.join('|')})(?:,|$)`)

export function joinKeysOf(signature: string): JoinKey[] {
  const joinKeys: JoinKey[] = []
  let rest = signature
  while (rest !== '') {
    const match = JOIN_KEY.exec(rest)
    const [whole, name, type] = match ?? []
    if (whole === undefined || name === undefined || type === undefined || !isKeyType(type)) {
      throw new Error(`no key signature: ${signature}`)
    }
    joinKeys.push({ name, type })
    rest = rest.slice(whole.length)
  }
  return joinKeys
}

type Projection = {
  readonly ProjectionExpression: string
  readonly ExpressionAttributeNames: Readonly<Record<string, string>>
}

/** Undefined for one that DynamoDB would find too long: the whole item is read then. */
function projectionOf(layout: Layout, features: Uint32Array): Projection | undefined {
  const names: Record<string, string> = { '#e': 'entity_id', '#t': 'event_ts', '#v': 'values' }
  const parts = ['#e', '#t']
  for (const position of features) {
    const name = `#${position.toString(36)}f`
    names[name] = layout.features[position]!.name
    parts.push(`#v.${name}`)
  }
  const expression = parts.join(',')
  if (expression.length > EXPRESSION_BYTES_MAX) return undefined
  return { ProjectionExpression: expression, ExpressionAttributeNames: names }
}
