/** `salver tables create|check`: the DynamoDB tables that a catalog needs, as Feast would make them. */
import type { Catalog } from '../catalog/catalog.ts'
import { openCatalog } from '../catalog/open-catalog.ts'
import type { TablesCommand } from '../cli/command.ts'
import type { Io } from '../cli/io.ts'
import type { DynamoOptions } from '../store/dynamodb/dynamo-options.ts'
import type { TableReport, WantedTable } from '../store/dynamodb/feast-tables.ts'
import {
  checkTable,
  makeTable,
  tableWhenReady,
  wantedTables,
} from '../store/dynamodb/feast-tables.ts'
import type { TableCalls } from '../store/dynamodb/table-calls.ts'
import { openTableCalls } from '../store/dynamodb/table-calls.ts'
import { counted } from './counted.ts'
import { dynamoOptions } from './dynamo-store.ts'

export type TablesParts = {
  readonly catalog: Catalog
  readonly options: DynamoOptions
  readonly json: boolean
  readonly io: Io
}

export async function runTables(command: TablesCommand, io: Io): Promise<number> {
  const catalog = await openCatalog(command.catalogPath)
  const parts = { catalog, options: dynamoOptions(catalog), json: command.json, io }
  return command.kind === 'tables-create' ? runTablesCreate(parts) : runTablesCheck(parts)
}

const CLOCK = { nowMs: Date.now, pause: (ms: number) => Bun.sleep(ms) }

/** Exit code 1 if one can't be used in the end. An existing table is never changed. */
export const runTablesCreate = (parts: TablesParts): Promise<number> =>
  withTables(parts, async (wanted, calls) => {
    const made: ('created' | 'there')[] = []
    for (const table of wanted) made.push(await makeTable(table, calls))
    const reports: TableReport[] = []
    for (const [index, table] of wanted.entries()) {
      reports.push(await tableWhenReady(table, made[index]!, { calls, clock: CLOCK }))
    }
    return reports
  })

/** Exit code 1 if one is missing or wrong. */
export const runTablesCheck = (parts: TablesParts): Promise<number> =>
  withTables(parts, async (wanted, calls) => {
    const reports: TableReport[] = []
    for (const table of wanted) reports.push(await checkTable(table, calls))
    return reports
  })

async function withTables(
  { catalog, options, json, io }: TablesParts,
  work: (wanted: readonly WantedTable[], calls: TableCalls) => Promise<readonly TableReport[]>,
): Promise<number> {
  const calls = await openTableCalls(options)
  try {
    const reports = await work(wantedTables(catalog.views, options), calls)
    io.out(json ? `${JSON.stringify(reportsToJson(reports))}\n` : reportsText(reports))
    return reports.every(isUsable) ? 0 : 1
  } finally {
    calls.close()
  }
}

const isUsable = ({ state }: TableReport): boolean => state !== 'missing' && state !== 'wrong'

const reportsToJson = (reports: readonly TableReport[]) => ({
  ok: reports.every(isUsable),
  tables: reports.map(({ wanted, state, faults, warnings }) => ({
    table: wanted.table,
    view: wanted.view,
    version: wanted.version,
    state,
    faults,
    warnings,
  })),
})

function reportsText(reports: readonly TableReport[]): string {
  const lines = reports.flatMap(({ wanted, state, faults, warnings }) => [
    `${state.padEnd(8)} ${wanted.table}\n`,
    ...faults.map((fault) => `         ${fault}\n`),
    ...warnings.map((warning) => `         warning: ${warning}\n`),
  ])
  const states = [...new Set(reports.map(({ state }) => state))]
  const sums = states.map(
    (state) => `${reports.filter((it) => it.state === state).length} ${state}`,
  )
  return `${lines.join('')}${[counted(reports.length, 'table'), ...sums].join(', ')}\n`
}
