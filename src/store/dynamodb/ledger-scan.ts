/** A ledger and its whole table, as a Scan gives it: made from it anew, or compared with it. */
import { Fault } from '../../base/fault.ts'
import { LEDGER_DIFFERENCES_SHOWN_MAX } from '../../base/limits.ts'
import { decodeLayout } from '../../row/layout.ts'
import { REBUILD } from './ledger-file.ts'
import { LedgerTable } from './ledger-table.ts'
import type { Ledger } from './ledger.ts'
import type { LedgerAsked, LedgerParts } from './open-ledger.ts'
import { openLedger, replaceLedger } from './open-ledger.ts'
import { digest, digestRow, fingerprintHigh, fingerprintLow } from './row-digest.ts'
import { scanPages } from './scan-pages.ts'
import { StoredItems } from './stored-items.ts'

export type LedgerFigures = { readonly rows: number; readonly tombstones: number }

export async function rebuildLedger(
  parts: LedgerParts,
  asked: LedgerAsked,
): Promise<LedgerFigures> {
  const ledger = await replaceLedger(parts, asked, (table) => scanInto(asked, table))
  const { rows, tombstones } = ledger
  ledger.close()
  return { rows, tombstones }
}

async function scanInto({ calls, name, layout }: LedgerAsked, table: LedgerTable): Promise<void> {
  const items = new StoredItems(decodeLayout(layout))
  for await (const { reply } of scanPages(calls, name)) {
    items.readPage(reply, (id, { rows, rowStart, rowBytes, timeUs }) => {
      digestRow(id, rows, rowStart, rowBytes)
      table.set(fingerprintLow(id), fingerprintHigh(id), digest.low, digest.high, timeUs)
    })
  }
}

export type LedgerDifference = {
  /** The first 16 digits of the item's entity_id: a ledger has no more of it. */
  readonly fingerprint: string
  readonly what:
    'missing in the table' | 'missing in the ledger' | 'another time' | 'another content'
}

export type LedgerCheck = LedgerFigures & {
  /** Rows of the table. */
  readonly items: number
  /** Keys whose last write was not answered: they are read before they are written again. */
  readonly inDoubt: number
  readonly different: number
  /** The first of them. */
  readonly differences: readonly LedgerDifference[]
}

/** Nothing is changed. While it runs no other process can write by the ledger. */
export async function checkLedger(parts: LedgerParts, asked: LedgerAsked): Promise<LedgerCheck> {
  const ledger = await openLedger(parts, asked)
  if (ledger === undefined) {
    throw new Fault('usage', 'the table has no ledger', {
      where: `${parts.directory}/${asked.name}`,
      allowed: REBUILD,
    })
  }
  try {
    const found = new LedgerTable()
    await scanInto(asked, found)
    return compare(ledger, found)
  } finally {
    ledger.close()
  }
}

function compare(ledger: Ledger, found: LedgerTable): LedgerCheck {
  const differences: LedgerDifference[] = []
  let different = 0
  let inDoubt = 0
  const note = (low: number, high: number, what: LedgerDifference['what']): void => {
    if (ledger.doubt(low, high) !== undefined) {
      inDoubt++
      return
    }
    different++
    if (differences.length === LEDGER_DIFFERENCES_SHOWN_MAX) return
    differences.push({ fingerprint: fingerprintText(low, high), what })
  }
  found.visit((low, high, digestLow, digestHigh, timeUs) => {
    ledger.find(low, high)
    if (ledger.kind !== 'row') note(low, high, 'missing in the ledger')
    else if (timeUs !== ledger.timeUs) note(low, high, 'another time')
    else if (digestLow !== ledger.digestLow || digestHigh !== ledger.digestHigh) {
      note(low, high, 'another content')
    }
  })
  ledger.visit((low, high, digestLow, digestHigh) => {
    const isTombstone = digestLow === 0 && digestHigh === 0
    if (!isTombstone && !found.find(low, high)) note(low, high, 'missing in the table')
  })
  const { rows, tombstones } = ledger
  return { rows, tombstones, items: found.rows, inDoubt, different, differences }
}

const fingerprintText = (low: number, high: number): string =>
  [low, high].map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('')
