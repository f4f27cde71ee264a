/** `salver ingest ledger rebuild|check`: what is kept of a table that only this machine writes. */
import { resolve } from 'node:path'
import type { FeatureView } from '../catalog/catalog.ts'
import { openCatalog } from '../catalog/open-catalog.ts'
import type { LedgerCommand } from '../cli/command.ts'
import type { Io } from '../cli/io.ts'
import type { DynamoCalls } from '../store/dynamodb/dynamo-client.ts'
import type { LedgerCheck } from '../store/dynamodb/ledger-scan.ts'
import { checkLedger, rebuildLedger } from '../store/dynamodb/ledger-scan.ts'
import type { LedgerAsked, LedgerParts } from '../store/dynamodb/open-ledger.ts'
import { makeWriteCounters } from '../store/dynamodb/write-counters.ts'
import { REAL_CLOCK, WritePace } from '../store/dynamodb/write-pace.ts'
import { nodeDisk } from '../store/embedded/node-disk.ts'
import { tableSpecOf } from '../store/view-table.ts'
import { counted } from './counted.ts'
import { openDynamo } from './dynamo-store.ts'
import { viewNamed } from './view-named.ts'

export type LedgerJob = {
  readonly view: FeatureView
  readonly calls: DynamoCalls
  /** A table's name in DynamoDB, by its view's table name. */
  readonly tableName: (name: string) => string
  readonly ledgerDir: string
  readonly json: boolean
}

export async function runIngestLedger(command: LedgerCommand, io: Io): Promise<number> {
  const { kind, catalogPath, view: name, ledgerDir, json } = command
  const catalog = await openCatalog(catalogPath)
  const view = viewNamed(catalog, name)
  const { options, calls } = await openDynamo(catalog)
  const job = { view, calls, tableName: options.tableName, ledgerDir, json }
  return kind === 'ingest-ledger-rebuild' ? runLedgerRebuild(job, io) : runLedgerCheck(job, io)
}

/** Reads the whole table into a new ledger, in the place of the one that may be there. */
export async function runLedgerRebuild(job: LedgerJob, io: Io): Promise<number> {
  const asked = askedOf(job)
  const { rows, tombstones } = await rebuildLedger(partsOf(job), asked)
  const held = `${counted(rows, 'row')}, ${counted(tombstones, 'tombstone')}`
  io.out(
    job.json
      ? `${JSON.stringify({ table: asked.name, rows, tombstones })}\n`
      : `${asked.name}: the ledger holds ${held}\n`,
  )
  return 0
}

/** Exit code 1 where the table holds anything else than the ledger says. Changes nothing. */
export async function runLedgerCheck(job: LedgerJob, io: Io): Promise<number> {
  const asked = askedOf(job)
  const check = await checkLedger(partsOf(job), asked)
  const ok = check.different === 0
  io.out(
    job.json
      ? `${JSON.stringify({ table: asked.name, ok, ...check })}\n`
      : checkText(asked.name, check),
  )
  return ok ? 0 : 1
}

function checkText(name: string, check: LedgerCheck): string {
  const { items, rows, tombstones, inDoubt, different, differences } = check
  const more = different - differences.length
  const held = [
    counted(items, 'item'),
    `${counted(rows, 'row')} in the ledger`,
    counted(tombstones, 'tombstone'),
    ...(inDoubt > 0 ? [`${inDoubt} in doubt`] : []),
  ].join(', ')
  return [
    ...differences.map(({ fingerprint, what }) => `${fingerprint}…: ${what}\n`),
    ...(more > 0 ? [`and ${more} more\n`] : []),
    `${name}: ${held}; ${different === 0 ? 'no difference' : counted(different, 'difference')}\n`,
  ].join('')
}

const partsOf = ({ ledgerDir }: LedgerJob): LedgerParts => ({
  disk: nodeDisk,
  directory: resolve(ledgerDir),
  nowUs: () => Date.now() * 1000,
})

const askedOf = ({ view, calls, tableName }: LedgerJob): LedgerAsked => ({
  name: tableName(view.table),
  layout: tableSpecOf(view).layout,
  calls,
  pace: new WritePace(REAL_CLOCK, 1, makeWriteCounters()),
})
