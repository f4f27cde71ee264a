/** The DynamoDB that the definitions name: how it is reached, or why it can't be. */
import { Fault } from '../base/fault.ts'
import type { Catalog } from '../catalog/catalog.ts'
import { openDynamoClient } from '../store/dynamodb/dynamo-endpoint.ts'
import type { DynamoOptions } from '../store/dynamodb/dynamo-options.ts'
import { parseDynamoOptions } from '../store/dynamodb/dynamo-options.ts'
import type { DynamoHttpClient } from '../store/dynamodb/http-client.ts'

export type DynamoAccess = { readonly options: DynamoOptions; readonly calls: DynamoHttpClient }

/** Throws a `usage` Fault where the definitions name another store, or none. */
export function dynamoOptions(catalog: Catalog): DynamoOptions {
  const { onlineStore, project } = catalog
  if (onlineStore?.type === 'dynamodb') return parseDynamoOptions(onlineStore, project)
  const found =
    onlineStore === undefined
      ? 'the definitions name no online store'
      : `the online store of the definitions is ${onlineStore.type}, which is not read`
  throw new Fault('usage', found, {
    where: '--data',
    allowed:
      '--data DIR: the embedded store (or --server URL, where a command takes it); or `online_store: {type: dynamodb}` in feature_store.yaml',
  })
}

export async function openDynamo(catalog: Catalog): Promise<DynamoAccess> {
  const options = dynamoOptions(catalog)
  return { options, calls: await openDynamoClient(options) }
}
