/** Feast's recorded items (test/fixtures/feast/dynamodb-items.json), put into DynamoDB as they are. */
import { join } from 'node:path'
import { createFeastTable, rawCall } from '../parts/dynamodb.ts'

export type FeastItem = {
  readonly entity_id: { readonly S: string }
  readonly event_ts: { readonly S: string }
  readonly values?: { readonly M: Readonly<Record<string, { readonly B: string }>> }
}

type FeastTable = {
  /** The view's. */
  readonly name: string
  readonly items: readonly FeastItem[]
}

const PROJECT = 'rideshare.'

const recorded = (await Bun.file(
  join(import.meta.dir, '../fixtures/feast/dynamodb-items.json'),
).json()) as {
  readonly tables: readonly { readonly TableName: string; readonly Items: readonly FeastItem[] }[]
  /** `TABLE/ENTITY_ID` of those that no row of rows.jsonl stands for. */
  readonly foreign_items: readonly string[]
}

export const FEAST_TABLES: readonly FeastTable[] = recorded.tables.map(({ TableName, Items }) => ({
  name: TableName.slice(PROJECT.length),
  items: Items,
}))

export const isForeign = (table: string, { entity_id: id }: FeastItem): boolean =>
  recorded.foreign_items.includes(`${PROJECT}${table}/${id.S}`)

/** BatchWriteItem takes no more. */
const ITEMS_PER_CALL = 25

/** Makes the tables, each named by `nameOf` its view, and puts every item. */
export async function loadFeastItems(url: string, nameOf: (view: string) => string): Promise<void> {
  for (const { name, items } of FEAST_TABLES) {
    await createFeastTable(url, nameOf(name))
    for (let start = 0; start < items.length; start += ITEMS_PER_CALL) {
      const puts = items
        .slice(start, start + ITEMS_PER_CALL)
        .map((Item) => ({ PutRequest: { Item } }))
      await rawCall(url, 'BatchWriteItem', { RequestItems: { [nameOf(name)]: puts } })
    }
  }
}
