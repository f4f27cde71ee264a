/** The fixture's rows through our writer into DynamoDB: the items are those that Feast wrote of them. */
import { beforeAll, expect, test } from 'bun:test'
import { join } from 'node:path'
import { parseTimeText } from '../../src/base/time-text.ts'
import { openCatalog } from '../../src/catalog/open-catalog.ts'
import { valueType } from '../../src/catalog/value-type.ts'
import { decodeValue, encodeValue } from '../../src/row/composite.ts'
import { openDynamoClient } from '../../src/store/dynamodb/dynamo-endpoint.ts'
import { parseDynamoOptions } from '../../src/store/dynamodb/dynamo-options.ts'
import { DynamoWriter } from '../../src/store/dynamodb/dynamo-writer.ts'
import {
  createFeastTable,
  describeWithDynamo,
  itemsOf,
  uniqueName,
  useTestCredentials,
} from '../parts/dynamodb.ts'
import { FEAST_TABLES, type FeastItem, isForeign } from './feast-items.ts'
import { loadRows } from './load-rows.ts'

const FIXTURES = join(import.meta.dir, '../fixtures/feast')

await describeWithDynamo('rows that we write to DynamoDB', (url) => {
  useTestCredentials()
  const prefix = uniqueName('written')

  beforeAll(async () => {
    const catalog = await openCatalog(join(FIXTURES, 'feature_repo'))
    const store = { region: 'us-east-1', endpoint_url: url }
    const naming = { table_name_template: `${prefix}.{table_name}` }
    const options = parseDynamoOptions(
      { type: 'dynamodb', options: new Map(Object.entries({ ...store, ...naming })) },
      catalog.project,
    )
    for (const { name } of FEAST_TABLES) await createFeastTable(url, options.tableName(name))
    const writer = new DynamoWriter({
      calls: await openDynamoClient(options),
      tableName: options.tableName,
      callKeysMax: options.batchSize,
      refreshAfterUs: undefined,
      assumeEmpty: false,
      ledger: undefined,
    })
    await loadRows(catalog, writer, await Bun.file(join(FIXTURES, 'rows.jsonl')).text())
  }, 60_000)

  test.each(FEAST_TABLES.map((table) => [table.name, table] as const))(
    'are the items that Feast wrote: %s',
    async (name, { items }) => {
      const feasts = items.filter((item) => !isForeign(name, item))
      const ours = await itemsOf(url, `${prefix}.${name}`)
      expect([...ours.keys()].toSorted()).toEqual(feasts.map(idOf).toSorted())
      for (const item of feasts) {
        const written = ours.get(idOf(item)) as FeastItem | undefined // what Scan gives
        expect(attributesOf(written!)).toEqual(attributesOf(item))
      }
    },
  )
})

const idOf = ({ entity_id: id }: FeastItem): string => id.S

/** Texts as they are, but for the offset of a time; entries of maps, which have no order, in ours. */
function attributesOf({ entity_id: id, event_ts: time, values, ...others }: FeastItem): unknown {
  const cells = Object.entries(values?.M ?? {}).map(([name, { B }]) => [name, canonical(B)])
  return { id, timeUs: parseTimeText(time.S), values: Object.fromEntries(cells), others }
}

function canonical(base64: string): string {
  const bytes = Uint8Array.fromBase64(base64)
  const { type, value } = decodeValue(bytes)
  if (type === 'NULL') return base64
  const isMap = valueType(type).shape === 'map'
  return isMap ? encodeValue(valueType(type), value).toBase64() : base64
}
