/** The promises of every store, over the real DynamoDB Local. */
import { nodeDisk } from '../../../src/store/embedded/node-disk.ts'
import { describeWithDynamo } from '../../parts/dynamodb.ts'
import { newDirectory, removeDirectory } from '../data-directory.ts'
import { runStoreSuite } from '../store-suite.ts'
import { DynamoTables } from './dynamo-table.ts'

/** What Feast's tables can't tell, whoever writes them. */
const GAPS = {
  'a key of a table that the store does not have is missing':
    'whether DynamoDB has a table is not known without asking it',
  'the same content at a later time holds off what is late between the two':
    'the time is kept in the item: it is refreshed, not touched',
  'a stored row touched and then changed in one batch ends changed':
    'the first of them is refreshed, not touched',
  'a row is compared with one of another layout by what both say':
    'the same row at a later time is refreshed, not touched',
  'keys and rows of the largest size are kept':
    'its row of 400,000 nines is no row of the layout, and items are written value by value',
  'a scan meets every current row of its table once': 'an item holds the hash of its key alone',
  'a dropped table is gone, and one of its name starts empty': 'tables are dropped by Feast',
  'counts its rows by table': 'DynamoDB is not asked how many rows there are',
}

const TOMBSTONES = {
  'a delete hides the row and blocks older ones, a later row comes back':
    'only a ledger remembers deletes',
  'a delete of what was never there blocks older rows too': 'only a ledger remembers deletes',
}

const ONE_KEY = {
  'a table is found again by name and key, and is another with another key':
    'a table of DynamoDB has one ledger, and one kind of key',
}

await describeWithDynamo('stores over DynamoDB', (url) => {
  runStoreSuite({
    name: 'dynamodb',
    open: async () => {
      const tables = await DynamoTables.create(url)
      return { store: tables.store(), remove: () => undefined }
    },
    gaps: { ...GAPS, ...TOMBSTONES },
  })

  runStoreSuite({
    name: 'dynamodb with a ledger',
    open: async () => {
      const tables = await DynamoTables.create(url)
      const directory = newDirectory()
      const ledger = { disk: nodeDisk, directory, nowUs: () => 0 }
      return { store: tables.store({ ledger }), remove: () => removeDirectory(directory) }
    },
    gaps: { ...GAPS, ...ONE_KEY },
  })
})
