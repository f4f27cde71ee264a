/**
 * Where a writer knows from what a table holds: it reads each item (`reads`), or it keeps a ledger, or
 * it was told that the table is empty and remembers what it wrote itself (`assumed`).
 */
import { Fault } from '../../base/fault.ts'
import { RUN_KEYS_MAX } from '../../base/limits.ts'
import type { Ledger } from './ledger.ts'
import { LedgerTable } from './ledger-table.ts'
import { digest, digestRow, fingerprintHigh, fingerprintLow } from './row-digest.ts'
import type { SeenVersion } from './seen-version.ts'

export type TableMemory =
  | { readonly kind: 'reads' }
  | { readonly kind: 'ledger'; readonly ledger: Ledger; readonly audit: AuditBudget }
  | { readonly kind: 'assumed'; readonly own: OwnWrites }

/** How many keys of this run's input are still to be compared with the table. */
export type AuditBudget = { left: number }

/** What this process wrote to a table that was said to be empty. */
export class OwnWrites {
  readonly #table = new LedgerTable()

  find(id: string, seen: SeenVersion): void {
    seen.setNothing()
    if (!this.#table.find(fingerprintLow(id), fingerprintHigh(id))) return
    const { isTombstone, timeUs, digestLow, digestHigh } = this.#table
    seen.setLedger(isTombstone ? 'tombstone' : 'row', timeUs, digestLow, digestHigh)
  }

  remember(id: string, timeUs: number, rows: Uint8Array, start: number, bytes: number): void {
    digestRow(id, rows, start, bytes)
    this.#set(id, digest.low, digest.high, timeUs)
  }

  rememberDelete(id: string, timeUs: number): void {
    this.#set(id, 0, 0, timeUs)
  }

  #set(id: string, digestLow: number, digestHigh: number, timeUs: number): void {
    if (this.#table.rows + this.#table.tombstones >= RUN_KEYS_MAX) {
      throw new Fault('too_large', `a run that assumes an empty table remembers its keys`, {
        allowed: `at most ${RUN_KEYS_MAX} keys: run it in parts, the later ones without --assume-empty`,
      })
    }
    this.#table.set(fingerprintLow(id), fingerprintHigh(id), digestLow, digestHigh, timeUs)
  }
}
