/** Finds the ledger of a table: bound to the table that is there now and to the layout of its rows. */
import { Fault } from '../../base/fault.ts'
import { decodeLayout } from '../../row/layout.ts'
import { utf8Decoder, utf8Encoder } from '../../base/utf8.ts'
import { callFor } from './call-for.ts'
import type { DynamoCalls } from './dynamo-client.ts'
import type { LedgerDisk } from './ledger-disk.ts'
import type { LedgerBinding } from './ledger-file.ts'
import { REBUILD } from './ledger-file.ts'
import type { LedgerTable } from './ledger-table.ts'
import type { LedgerPlace } from './ledger.ts'
import { Ledger } from './ledger.ts'
import { nextStart } from './scan-pages.ts'
import { StoredItems } from './stored-items.ts'
import { WriteBodies } from './write-bodies.ts'
import type { WritePace } from './write-pace.ts'

export type LedgerAsked = {
  /** The table's name in DynamoDB. */
  readonly name: string
  readonly layout: Uint8Array
  readonly calls: DynamoCalls
  readonly pace: WritePace
}

export type LedgerParts = {
  readonly disk: LedgerDisk
  /** Of all ledgers. */
  readonly directory: string
  /** Microseconds since 1970. */
  readonly nowUs: () => number
}

/** The ledger that is there, or the first one of a table that is empty. */
export async function openTableLedger(parts: LedgerParts, asked: LedgerAsked): Promise<Ledger> {
  const opened = await openLedger(parts, asked)
  if (opened !== undefined) return opened
  if (!(await isEmpty(asked))) {
    throw new Fault('usage', 'the table holds rows, and has no ledger yet', {
      where: `${parts.directory}/${asked.name}`,
      allowed: REBUILD,
    })
  }
  return replaceLedger(parts, asked, async () => undefined)
}

/** Undefined where there is none. */
export async function openLedger(
  parts: LedgerParts,
  asked: LedgerAsked,
): Promise<Ledger | undefined> {
  return Ledger.open(placeOf(parts, asked), await describeBinding(asked))
}

/** One that knows what `fill` enters. */
export async function replaceLedger(
  parts: LedgerParts,
  asked: LedgerAsked,
  fill: (table: LedgerTable) => Promise<void>,
): Promise<Ledger> {
  return Ledger.rebuild(placeOf(parts, asked), await describeBinding(asked), fill)
}

/** What a partial row is merged with is not in a ledger. */
function placeOf(parts: LedgerParts, { name, layout }: LedgerAsked): LedgerPlace {
  if (!decodeLayout(layout).times) return { ...parts, tableName: name }
  const message = 'a view with partial writes has no ledger: its rows are merged with the items'
  throw new Fault('usage', message, {
    where: name,
    allowed: 'views that are not declared partial; or without --ledger',
  })
}

type Described = {
  readonly Table?: { readonly TableArn?: string; readonly CreationDateTime?: number }
}

async function describeBinding(asked: LedgerAsked): Promise<LedgerBinding> {
  const reply = await callFor(
    asked,
    'DescribeTable',
    utf8Encoder.encode(JSON.stringify({ TableName: asked.name })),
  )
  const { Table: table } = JSON.parse(utf8Decoder.decode(reply)) as Described // the protocol's own shape
  if (table?.TableArn === undefined || table.CreationDateTime === undefined) {
    throw new Fault('unavailable', 'DynamoDB does not say when the table was made', {
      where: asked.name,
      allowed: 'a ledger needs the ARN and the creation time of its table',
    })
  }
  return {
    arn: table.TableArn,
    createdS: table.CreationDateTime,
    layout: utf8Decoder.decode(asked.layout),
  }
}

/** A page may hold nothing and yet not be the last. */
async function isEmpty(asked: LedgerAsked): Promise<boolean> {
  const reply = await callFor(asked, 'Scan', WriteBodies.scan(asked.name, undefined))
  const isLast = nextStart(reply) === undefined
  let items = 0
  new StoredItems(decodeLayout(asked.layout)).readPage(reply, () => void items++)
  return isLast && items === 0
}
