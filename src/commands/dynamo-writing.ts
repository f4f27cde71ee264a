/** Writing to the DynamoDB that the definitions name. */
import { resolve } from 'node:path'
import type { Catalog } from '../catalog/catalog.ts'
import { DynamoWriter } from '../store/dynamodb/dynamo-writer.ts'
import type { LedgerParts } from '../store/dynamodb/open-ledger.ts'
import { nodeDisk } from '../store/embedded/node-disk.ts'
import { openDynamo } from './dynamo-store.ts'

export async function openDynamoWriter(asked: {
  readonly catalog: Catalog
  readonly refreshAfterUs: number | undefined
  readonly assumeEmpty: boolean
  /** '' where changes are found by reading the table. */
  readonly ledgerDir: string
}): Promise<DynamoWriter> {
  const { options, calls } = await openDynamo(asked.catalog)
  return new DynamoWriter({
    calls,
    tableName: options.tableName,
    callKeysMax: options.batchSize,
    refreshAfterUs: asked.refreshAfterUs,
    assumeEmpty: asked.assumeEmpty,
    ledger: ledgerParts(asked.ledgerDir),
  })
}

const ledgerParts = (directory: string): LedgerParts | undefined =>
  directory === ''
    ? undefined
    : { disk: nodeDisk, directory: resolve(directory), nowUs: () => Date.now() * 1000 }
