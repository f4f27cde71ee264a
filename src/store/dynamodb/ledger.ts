/**
 * What one table holds, kept beside it by its only writer, so that no stored side has to be read: for
 * each key a fingerprint, a digest of its content and its event time. Tombstones live here only.
 *
 * Around every write the journal says what is meant (`intend`) and what came of it (`settle`), each
 * durable on return. What was meant and not settled is in doubt: a call may have come through whose
 * answer, or whose writer, was lost. Such a key is judged by its item until it is settled.
 */
import { dirname } from 'node:path'
import { Fault } from '../../base/fault.ts'
import {
  LEDGER_JOURNAL_BYTES_MIN,
  LEDGER_RECORD_ENTRIES_MAX,
  TOMBSTONE_RETENTION_US,
} from '../../base/limits.ts'
import type { StoredKind } from '../../row/order-rule.ts'
import type { LedgerDisk } from './ledger-disk.ts'
import type { LedgerBinding } from './ledger-file.ts'
import { LedgerFile, REBUILD } from './ledger-file.ts'
import {
  LEDGER_ENTRY_BYTES,
  LedgerEntries,
  RECORD_INTENTS,
  RECORD_ROWS,
  visitEntries,
} from './ledger-record.ts'
import type { SeeEntry } from './ledger-table.ts'
import { LedgerTable } from './ledger-table.ts'

/** What was meant for a key in doubt. */
export type Doubt = { readonly isDelete: boolean; readonly timeUs: number }

export type LedgerPlace = {
  readonly disk: LedgerDisk
  /** Of all ledgers; each table has a directory of its own in it. */
  readonly directory: string
  /** The table's name in DynamoDB: letters, digits, `_`, `-` and `.`. */
  readonly tableName: string
  /** Microseconds since 1970. */
  readonly nowUs: () => number
}

export class Ledger {
  readonly #place: LedgerPlace
  readonly #path: string
  readonly #lock: { readonly release: () => void }
  #file: LedgerFile
  readonly #table: LedgerTable
  readonly #doubts: Map<string, Doubt>
  /** Of a compaction: no write is begun any more. */
  #failure: unknown

  /** What `find` found. */
  kind: StoredKind = 'nothing'
  timeUs = NaN
  digestLow = 0
  digestHigh = 0

  private constructor(
    place: LedgerPlace,
    lock: { readonly release: () => void },
    file: LedgerFile,
    held: Held,
  ) {
    this.#place = place
    this.#path = pathOf(place)
    this.#lock = lock
    this.#file = file
    this.#table = held.table
    this.#doubts = held.doubts
  }

  /** Undefined where the table has no ledger yet. A Fault where it has one of something else. */
  static open(place: LedgerPlace, binding: LedgerBinding): Ledger | undefined {
    if (place.disk.names(pathOf(place)) === undefined) return undefined
    const lock = lockPlace(place)
    let file: LedgerFile | undefined
    try {
      const held = new Held()
      file = LedgerFile.open(place.disk, pathOf(place), held)
      if (file === undefined) {
        lock.release()
        return undefined
      }
      checkTable(file, binding, pathOf(place))
      checkLayout(file, binding.layout, pathOf(place))
      return new Ledger(place, lock, file, held)
    } catch (error) {
      file?.close()
      lock.release()
      throw error
    }
  }

  /**
   * A ledger that knows what `fill` enters, in the place of the one that may be there. Tombstones of the
   * old one stay where `fill` enters nothing, if it was the same table's.
   */
  static async rebuild(
    place: LedgerPlace,
    binding: LedgerBinding,
    fill: (table: LedgerTable) => Promise<void>,
  ): Promise<Ledger> {
    const lock = lockPlace(place)
    try {
      const held = new Held()
      await fill(held.table)
      keepTombstones(place, binding, held.table)
      const file = LedgerFile.replace(place.disk, pathOf(place), binding, [
        [RECORD_ROWS, currentContents(held.table, place.nowUs())],
      ])
      return new Ledger(place, lock, file, held)
    } catch (error) {
      lock.release()
      throw error
    }
  }

  /** A Fault where rows in this layout can't be compared with what is held. */
  checkLayout(layout: string): void {
    checkLayout(this.#file, layout, this.#path)
  }

  get rows(): number {
    return this.#table.rows
  }

  get tombstones(): number {
    return this.#table.tombstones
  }

  /** Memory of its rows. */
  get bytes(): number {
    return this.#table.bytes
  }

  get fileBytes(): number {
    return this.#file.bytes
  }

  /** What was acknowledged under a fingerprint; a tombstone past its retention is nothing. */
  find(low: number, high: number): void {
    this.kind = 'nothing'
    this.timeUs = NaN
    const table = this.#table
    if (!table.find(low, high)) return
    if (table.isTombstone && table.timeUs < this.#place.nowUs() - TOMBSTONE_RETENTION_US) return
    this.kind = table.isTombstone ? 'tombstone' : 'row'
    this.timeUs = table.timeUs
    this.digestLow = table.digestLow
    this.digestHigh = table.digestHigh
  }

  /** What was meant for a key and never settled. */
  doubt(low: number, high: number): Doubt | undefined {
    return this.#doubts.size === 0 ? undefined : this.#doubts.get(doubtKey(low, high))
  }

  async intend(entries: LedgerEntries): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure
    await this.#file.append(RECORD_INTENTS, entries)
    entries.visit((low, high, digestLow, digestHigh, timeUs) => {
      this.#doubts.set(doubtKey(low, high), doubtOf(digestLow, digestHigh, timeUs))
    })
  }

  async settle(entries: LedgerEntries): Promise<void> {
    await this.#file.append(RECORD_ROWS, entries)
    entries.visit((low, high, digestLow, digestHigh, timeUs) => {
      this.#table.set(low, high, digestLow, digestHigh, timeUs)
      this.#doubts.delete(doubtKey(low, high))
    })
    this.#compactIfOutgrown()
  }

  /** What was settled stays settled if this fails; but which file is in place may then be unknown. */
  #compactIfOutgrown(): void {
    const heldBytes = (this.rows + this.tombstones) * LEDGER_ENTRY_BYTES
    if (this.#file.bytes <= 2 * heldBytes + LEDGER_JOURNAL_BYTES_MIN) return
    try {
      this.compact()
    } catch (error) {
      this.#failure = error
    }
  }

  /** Writes the file anew without what was replaced and what is past its retention. */
  compact(): void {
    const doubts = new LedgerEntries()
    for (const [key, { isDelete, timeUs }] of this.#doubts) {
      const [low, high] = key.split(':').map(Number) as [number, number] // of doubtKey
      const mark = isDelete ? 0 : 1
      doubts.add(low, high, mark, 0, timeUs)
    }
    const parts = [
      [RECORD_ROWS, currentContents(this.#table, this.#place.nowUs())],
      [RECORD_INTENTS, doubts.contents()],
    ] as const
    const file = LedgerFile.replace(this.#place.disk, this.#path, this.#file.binding, parts)
    this.#file.close()
    this.#file = file
  }

  visit(see: SeeEntry): void {
    this.#table.visit(see)
  }

  /** Everything that was acknowledged is in the file: nothing is left to be written. */
  close(): void {
    this.#file.close()
    this.#lock.release()
  }
}

/** What the file says, as it is read. */
class Held {
  readonly table = new LedgerTable()
  readonly doubts = new Map<string, Doubt>()

  readonly onRows = (content: Uint8Array): void =>
    visitEntries(content, (low, high, digestLow, digestHigh, timeUs) => {
      this.table.set(low, high, digestLow, digestHigh, timeUs)
      if (this.doubts.size > 0) this.doubts.delete(doubtKey(low, high))
    })

  readonly onIntents = (content: Uint8Array): void =>
    visitEntries(content, (low, high, digestLow, digestHigh, timeUs) => {
      this.doubts.set(doubtKey(low, high), doubtOf(digestLow, digestHigh, timeUs))
    })
}

const doubtKey = (low: number, high: number): string => `${low}:${high}`

const doubtOf = (digestLow: number, digestHigh: number, timeUs: number): Doubt => ({
  isDelete: digestLow === 0 && digestHigh === 0,
  timeUs,
})

const pathOf = ({ directory, tableName }: LedgerPlace): string => `${directory}/${tableName}`

function lockPlace(place: LedgerPlace): { readonly release: () => void } {
  const { disk, tableName } = place
  if (!/^[A-Za-z0-9_.-]{3,255}$/.test(tableName)) {
    throw new Fault('usage', `${JSON.stringify(tableName)} is no name of a table`)
  }
  makeDirectories(disk, pathOf(place))
  return disk.lock(pathOf(place), 'write')
}

/** Durably, and those above: a ledger that is lost with its directory is lost. */
function makeDirectories(disk: LedgerDisk, path: string): void {
  if (disk.names(path) !== undefined) return
  const above = dirname(path)
  makeDirectories(disk, above)
  disk.makeDirectory(path)
  disk.syncDirectory(above)
}

function checkTable(file: LedgerFile, { arn, createdS }: LedgerBinding, path: string): void {
  if (file.binding.arn === arn && file.binding.createdS === createdS) return
  const what = 'the ledger belongs to another table, or to one that was deleted and made again'
  throw new Fault('store_damaged', what, { where: path, allowed: REBUILD })
}

function checkLayout(file: LedgerFile, layout: string, path: string): void {
  if (file.binding.layout === layout) return
  const what = "the ledger was made for other features than the view's: it can't tell what changed"
  throw new Fault('store_damaged', what, { where: path, allowed: REBUILD })
}

/** Those of the ledger that is there, if it is this table's and can be read; else none. */
function keepTombstones(place: LedgerPlace, binding: LedgerBinding, table: LedgerTable): void {
  const old = new Held()
  try {
    const file = LedgerFile.open(place.disk, pathOf(place), old)
    if (file === undefined) return
    file.close()
    if (file.binding.arn !== binding.arn || file.binding.createdS !== binding.createdS) return
  } catch (error) {
    // A rebuild is what a damaged ledger asks for: what its tombstones blocked is lost with it.
    if (error instanceof Fault && error.code === 'store_damaged') return
    throw error
  }
  old.table.visit((low, high, digestLow, digestHigh, timeUs) => {
    const isTombstone = digestLow === 0 && digestHigh === 0
    if (isTombstone && !table.find(low, high)) table.set(low, high, 0, 0, timeUs)
  })
}

/** Shard by shard, so that a table is never in memory twice. */
function* currentContents(table: LedgerTable, nowUs: number): Iterable<Uint8Array> {
  const entries = new LedgerEntries()
  for (let shard = 0; shard < table.shards; shard++) {
    table.visitShard(shard, (low, high, digestLow, digestHigh, timeUs) => {
      const isTombstone = digestLow === 0 && digestHigh === 0
      if (isTombstone && timeUs < nowUs - TOMBSTONE_RETENTION_US) return
      entries.add(low, high, digestLow, digestHigh, timeUs)
    })
    if (entries.count < LEDGER_RECORD_ENTRIES_MAX / 2) continue
    yield* entries.contents()
    entries.clear()
  }
  yield* entries.contents()
}
