import { expect, test } from 'bun:test'
import { Fault } from '../../../src/base/fault.ts'
import type { PlainValue } from '../../../src/catalog/catalog.ts'
import { parseDynamoOptions } from '../../../src/store/dynamodb/dynamo-options.ts'

const parse = (options: Record<string, PlainValue>) =>
  parseDynamoOptions({ type: 'dynamodb', options: new Map(Object.entries(options)) }, 'rides')

function faultOf(options: Record<string, PlainValue>): Fault {
  try {
    parse(options)
  } catch (thrown) {
    if (thrown instanceof Fault) return thrown
  }
  throw new Error('no fault')
}

test("what is left out is as in Feast, and its client's own options are passed over", () => {
  const { tableName, ...options } = parse({
    region: 'eu-west-1',
    read_timeout: 5,
    retry_mode: 'legacy',
  })
  expect(options).toEqual({
    region: 'eu-west-1',
    endpointUrl: '',
    consistentReads: false,
    batchSize: 100,
    tags: new Map(),
  })
  expect(tableName('driver_stats_v2')).toBe('rides.driver_stats_v2')
})

test('what is given is taken; DynamoDB takes no more than 100 keys a call', () => {
  const options = parse({
    region: 'local',
    endpoint_url: 'http://127.0.0.1:8000',
    consistent_reads: true,
    batch_size: 400,
    table_name_template: 'prod-{{x}}-{table_name}.{project}',
    tags: { team: 'search' },
  })
  expect(options).toMatchObject({
    endpointUrl: 'http://127.0.0.1:8000',
    consistentReads: true,
    batchSize: 100,
    tags: new Map([['team', 'search']]),
  })
  expect(options.tableName('v')).toBe('prod-{x}-v.rides')
})

test('every fault is told, each with its option and what is allowed', () => {
  const fault = faultOf({
    regon: 'x',
    endpoint_url: 'localhost',
    batch_size: 0,
    consistent_reads: 'yes',
    table_name_template: '{project}',
    tags: { a: 1 },
  })
  expect(fault.code).toBe('catalog_invalid')
  expect(fault.faults.map(({ where, allowed }) => [where, allowed !== undefined])).toEqual([
    ['online_store.regon', true],
    ['online_store.region', true],
    ['online_store.endpoint_url', true],
    ['online_store.consistent_reads', true],
    ['online_store.batch_size', true],
    ['online_store.tags.a', true],
    ['online_store.table_name_template', true],
  ])
  expect(fault.message).toContain('online_store.regon is unknown (did you mean "region"?)')
  expect(fault.message).toContain('online_store.region is missing')
})

test.each(['{table_name', 'x{foo}{table_name}', '{table_name}}', '{}'])(
  'the template %j is refused',
  (template) => {
    const fault = faultOf({ region: 'r', table_name_template: template })
    expect(fault.faults[0]?.where).toBe('online_store.table_name_template')
  },
)
