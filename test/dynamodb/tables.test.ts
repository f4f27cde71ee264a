import { describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Catalog, PlainValue } from '../../src/catalog/catalog.ts'
import { openCatalog } from '../../src/catalog/open-catalog.ts'
import { runTablesCheck, runTablesCreate } from '../../src/commands/tables.ts'
import { type DynamoOptions, parseDynamoOptions } from '../../src/store/dynamodb/dynamo-options.ts'
import {
  checkTable,
  makeTable,
  tableWhenReady,
  wantedTables,
} from '../../src/store/dynamodb/feast-tables.ts'
import type { TableCalls, TableFound, Tags } from '../../src/store/dynamodb/table-calls.ts'
import { runSalver } from '../cli/run-salver.ts'
import {
  createFeastTable,
  describeWithDynamo,
  rawCall,
  TEST_CREDENTIALS,
  uniqueName,
  useTestCredentials,
} from '../parts/dynamodb.ts'
import { makeFeastRepo } from '../parts/feast-repo.ts'

const catalog = await openCatalog('test/fixtures/feast/feature_repo')

/** Options of a store at this place whose tables begin with a prefix of their own. */
function optionsAt(url: string, prefix: string, more: Record<string, PlainValue> = {}) {
  const options = { region: 'us-east-1', endpoint_url: url, ...more }
  const naming = { table_name_template: `${prefix}.{table_name}` }
  const store = { type: 'dynamodb', options: new Map(Object.entries({ ...naming, ...options })) }
  return parseDynamoOptions(store, 'rideshare')
}

async function run(
  command: typeof runTablesCheck,
  parts: { readonly catalog: Catalog; readonly options: DynamoOptions; readonly json?: boolean },
): Promise<{ code: number; out: string }> {
  let out = ''
  const io = { out: (text: string) => void (out += text), err: () => {}, errIsTerminal: false }
  const code = await command({ json: false, ...parts, io })
  return { code, out }
}

/** What DescribeTable says, without what differs from table to table. */
async function described(url: string, table: string): Promise<unknown> {
  const { Table } = (await rawCall(url, 'DescribeTable', { TableName: table })) as {
    Table: Record<string, unknown>
  }
  const volatile = ['TableName', 'TableArn', 'TableId', 'CreationDateTime']
  const { BillingModeSummary: billing, ...rest } = Table as { BillingModeSummary: object }
  const mode = 'BillingMode' in billing ? billing.BillingMode : undefined
  return {
    ...Object.fromEntries(Object.entries(rest).filter(([name]) => !volatile.includes(name))),
    mode,
  }
}

const FEAST_TABLES = [
  ...['customer_profile', 'driver_arrays', 'driver_busy', 'driver_customer', 'driver_expiring'],
  ...['driver_live', 'driver_live_slim', 'driver_off', 'driver_rich', 'driver_stats'],
  ...['driver_stream', 'driver_wide', 'global_counters', 'zone_weather'],
]

await describeWithDynamo('tables over DynamoDB Local', (url) => {
  useTestCredentials()

  test('are made for the views that Feast makes one for, as Feast describes them', async () => {
    const prefix = uniqueName('tables')
    const { code, out } = await run(runTablesCreate, { catalog, options: optionsAt(url, prefix) })
    expect(code).toBe(0)
    expect(out.trim().split('\n').at(-1)).toBe('14 tables, 14 created')
    const { TableNames } = await rawCall(url, 'ListTables', {})
    const ours = (TableNames as string[]).filter((name) => name.startsWith(`${prefix}.`))
    expect(ours).toEqual(FEAST_TABLES.map((name) => `${prefix}.${name}`))

    const feasts = uniqueName('as_feast')
    await createFeastTable(url, feasts)
    const expected = await described(url, feasts)
    for (const table of ours) expect(await described(url, table)).toEqual(expected)
  })

  test('that are there are left as they are', async () => {
    const options = optionsAt(url, uniqueName('tables'))
    await createFeastTable(url, options.tableName('driver_stats'))
    const item = { entity_id: { S: 'a' }, event_ts: { S: 'b' } }
    await rawCall(url, 'PutItem', { TableName: options.tableName('driver_stats'), Item: item })
    const { code, out } = await run(runTablesCreate, { catalog, options })
    expect(code).toBe(0)
    expect(out).toContain(`there    ${options.tableName('driver_stats')}\n`)
    expect(out).toContain('14 tables, 13 created, 1 there\n')
    const again = await run(runTablesCreate, { catalog, options })
    expect(again.out).toContain('14 tables, 14 there\n')
    const scan = await rawCall(url, 'Scan', { TableName: options.tableName('driver_stats') })
    expect(scan['Items']).toEqual([item])
  })

  test('that are missing or wrong are named, and the command says 1', async () => {
    const options = optionsAt(url, uniqueName('tables'))
    const wrong = options.tableName('driver_wide')
    await rawCall(url, 'CreateTable', {
      TableName: wrong,
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'N' }],
      BillingMode: 'PAY_PER_REQUEST',
    })
    const before = await run(runTablesCheck, { catalog, options })
    expect(before.code).toBe(1)
    expect(before.out).toContain(`missing  ${options.tableName('zone_weather')}\n`)
    expect(before.out).toContain(
      `wrong    ${wrong}\n         its key is id HASH N; Feast's is entity_id HASH S\n`,
    )
    const made = await run(runTablesCreate, { catalog, options, json: true })
    expect(made.code).toBe(1)
    const reports = JSON.parse(made.out)
    expect(reports.ok).toBe(false)
    expect(reports.tables.filter((it: { state: string }) => it.state !== 'created')).toEqual([
      {
        table: wrong,
        view: 'driver_wide',
        version: 0,
        state: 'wrong',
        faults: ["its key is id HASH N; Feast's is entity_id HASH S"],
        warnings: [],
      },
    ])
  })

  test('are checked where the store has no tags, which is said', async () => {
    const options = optionsAt(url, uniqueName('tables'))
    await run(runTablesCreate, { catalog, options })
    const { code, out } = await run(runTablesCheck, { catalog, options })
    expect(code).toBe(0)
    expect(out).toContain("warning: its tags can't be read: UnknownOperationException\n")
    expect(out).toContain('14 tables, 14 ok\n')
  })

  test('are made and checked by the executable', async () => {
    const project = uniqueName('tables')
    const cwd = mkdtempSync(join(tmpdir(), 'salver-tables-'))
    const view = { name: 'clicks', keys: { user_id: 'INT64' }, features: { n: 'INT64' } } as const
    await makeFeastRepo(cwd, { project, endpoint: url, views: [view] })
    const place = { cwd, env: TEST_CREDENTIALS }
    const salver = (verb: string) => runSalver(['tables', verb, '--catalog', cwd], place)
    const missing = `missing  ${project}.clicks\n1 table, 1 missing\n`
    expect(await salver('check')).toEqual({ code: 1, out: missing, err: '' })
    const created = `created  ${project}.clicks\n1 table, 1 created\n`
    expect(await salver('create')).toEqual({ code: 0, out: created, err: '' })
    expect((await salver('check')).out).toContain('1 table, 1 ok\n')
    rmSync(cwd, { recursive: true })
  })

  test('may have tags from their first day', async () => {
    const options = optionsAt(url, uniqueName('tables'), { tags: { team: 'rides' } })
    expect((await run(runTablesCreate, { catalog, options })).code).toBe(0)
  })
})

test('a store that does not answer is a fault that says what was tried', async () => {
  useTestCredentials()
  const options = optionsAt('http://127.0.0.1:9', 'nobody')
  await expect(run(runTablesCheck, { catalog, options })).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('describing nobody.customer_profile failed'),
  })
})

/** Tables that are there after so many looks, in memory. */
class SlowTables implements TableCalls {
  readonly made = new Map<string, Tags>()
  looks = 0
  readonly #looksUntilActive: number
  readonly #tags: Tags | string

  constructor(looksUntilActive: number, tags: Tags | string) {
    this.#looksUntilActive = looksUntilActive
    this.#tags = tags
  }

  async describe(table: string): Promise<TableFound | undefined> {
    if (!this.made.has(table)) return undefined
    this.looks++
    const status = this.looks > this.#looksUntilActive ? 'ACTIVE' : 'CREATING'
    return { arn: table, status, keys: ['entity_id HASH S'] }
  }

  async create(table: string, tags: Tags): Promise<boolean> {
    this.made.set(table, tags)
    return true
  }

  async tagsOf(): Promise<Tags | string> {
    return this.#tags
  }

  close(): void {}
}

function wantedOf(tags: Record<string, string>, configured: Record<string, string>) {
  const view = { ...catalog.viewsByName.get('driver_stats')!, tags: new Map(Object.entries(tags)) }
  const options = { tableName: (name: string) => name, tags: new Map(Object.entries(configured)) }
  return wantedTables([view], options)[0]!
}

describe('a new table', () => {
  /** A clock that its pauses move. */
  function handClock() {
    let now = 0
    return { nowMs: () => now, pause: async (ms: number) => void (now += ms) }
  }

  test('is waited for until it is active', async () => {
    const [calls, clock, wanted] = [new SlowTables(3, new Map()), handClock(), wantedOf({}, {})]
    const made = await makeTable(wanted, calls)
    expect(await tableWhenReady(wanted, made, { calls, clock })).toMatchObject({ state: 'created' })
    expect(calls.looks).toBe(4)
  })

  test('that never becomes active is wrong in the end', async () => {
    const [calls, clock, wanted] = [new SlowTables(Infinity, ''), handClock(), wantedOf({}, {})]
    const made = await makeTable(wanted, calls)
    expect(await tableWhenReady(wanted, made, { calls, clock })).toMatchObject({
      state: 'wrong',
      faults: ['it is CREATING, not ACTIVE'],
    })
  })

  test("has the view's tags, and the configured ones where the view says nothing", async () => {
    const calls = new SlowTables(0, new Map())
    const tags = { team: 'own', stage: '', extra: '1' }
    await makeTable(wantedOf(tags, { team: 'all', stage: 'prod', cost: 'x' }), calls)
    expect([...calls.made.get('driver_stats')!]).toEqual([
      ['team', 'own'],
      ['stage', 'prod'],
      ['cost', 'x'],
      ['extra', '1'],
    ])
  })
})

describe('tags of a table that is there', () => {
  const wanted = wantedOf({ team: 'own' }, { cost: 'x' })

  async function warningsOf(found: Tags | string): Promise<readonly string[]> {
    const calls = new SlowTables(0, found)
    await makeTable(wanted, calls)
    const { state, warnings } = await checkTable(wanted, calls)
    expect(state).toBe('ok')
    return warnings
  }

  test('that are missing or other are a warning', async () => {
    expect(await warningsOf(new Map([['team', 'theirs']]))).toEqual([
      'its tag cost is missing; Feast would write "x"',
      'its tag team is "theirs"; Feast would write "own"',
    ])
  })

  test('that are right, with others beside, are none', async () => {
    const tags = new Map(Object.entries({ team: 'own', cost: 'x', other: 'y' }))
    expect(await warningsOf(tags)).toEqual([])
  })

  test('that may not be read are said to be so', async () => {
    expect(await warningsOf('AccessDeniedException')).toEqual([
      "its tags can't be read: AccessDeniedException",
    ])
  })
})

test('each version that is served has a table of its own', () => {
  const view = catalog.viewsByName.get('driver_stats')!
  const older = { ...view, table: 'driver_stats_v2', version: 2 }
  const options = { tableName: (name: string) => `p.${name}`, tags: new Map() }
  expect(wantedTables([view, older, { ...view, online: false }], options)).toMatchObject([
    { table: 'p.driver_stats', version: 0 },
    { table: 'p.driver_stats_v2', version: 2 },
  ])
})
