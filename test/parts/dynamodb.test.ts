import { expect, test } from 'bun:test'
import {
  createFeastTable,
  describeWithDynamo,
  itemsOf,
  ownDynamo,
  RawCallError,
  rawCall,
  uniqueName,
} from './dynamodb.ts'

await describeWithDynamo('the real DynamoDB Local', (url) => {
  test('keeps what is put', async () => {
    const table = uniqueName('parts')
    await createFeastTable(url, table)
    const item = { entity_id: { S: 'a' }, event_ts: { S: 'b' } }
    await rawCall(url, 'PutItem', { TableName: table, Item: item })
    expect(await itemsOf(url, table)).toEqual(new Map([['a', item]]))
  })

  test('names its exceptions', async () => {
    const call = rawCall(url, 'Scan', { TableName: 'nobody.made_it' })
    const error = await call.then(
      () => undefined,
      (reason: unknown) => reason,
    )
    expect(error).toBeInstanceOf(RawCallError)
    expect(error).toMatchObject({ status: 400, exception: 'ResourceNotFoundException' })
  })

  test('comes back on the same port, empty', async () => {
    const first = await ownDynamo()
    await createFeastTable(first.url, 'there')
    await first.kill()
    const second = await ownDynamo(first.port)
    expect(second.url).toBe(first.url)
    expect(await rawCall(second.url, 'ListTables', {})).toEqual({ TableNames: [] })
    await second.stop()
  }, 60_000)
})
