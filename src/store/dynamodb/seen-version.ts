/**
 * What is known to be stored under a key: from its item, with the exact text of its time, or from a
 * ledger, with a digest of its content.
 */
import type { StoredKind } from '../../row/order-rule.ts'

/** Time of an item whose `event_ts` can't be read: any that comes is later. */
export const NO_TIME = -Infinity

export class SeenVersion {
  kind: StoredKind = 'nothing'
  timeUs = NaN
  /** Known by digest alone, from a ledger; else from the item. */
  isFromLedger = false
  digestLow = 0
  digestHigh = 0
  /** The text of the item's `event_ts` as it stands there; undefined where it has none. */
  timeText: string | undefined
  /** The item's row in the table's layout. */
  rows: Uint8Array = NO_BYTES
  rowStart = 0
  rowBytes = 0

  setNothing(): void {
    this.kind = 'nothing'
    this.timeUs = NaN
    this.isFromLedger = false
    this.timeText = undefined
    this.rows = NO_BYTES
  }

  setLedger(kind: StoredKind, timeUs: number, digestLow: number, digestHigh: number): void {
    this.kind = kind
    this.timeUs = timeUs
    this.isFromLedger = true
    this.digestLow = digestLow
    this.digestHigh = digestHigh
    this.timeText = undefined
    this.rows = NO_BYTES
  }

  /** A tombstone that a ledger remembers where the item was looked for and is not there. */
  setTombstone(timeUs: number): void {
    this.setNothing()
    this.kind = 'tombstone'
    this.timeUs = timeUs
  }

  setItem(timeUs: number, timeText: string | undefined): void {
    this.kind = 'row'
    this.timeUs = Number.isNaN(timeUs) ? NO_TIME : timeUs
    this.isFromLedger = false
    this.timeText = timeText
  }

  copy(): SeenVersion {
    return Object.assign(new SeenVersion(), this)
  }
}

const NO_BYTES = new Uint8Array(0)
