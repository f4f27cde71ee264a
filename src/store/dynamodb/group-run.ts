/**
 * One group of batches judged and written: what is stored is found, each key's entries come to one
 * conditional write or none, and a write that meets another item than was seen is judged again.
 */
import { Fault } from '../../base/fault.ts'
import {
  BATCH_WRITE_ITEMS_MAX,
  ITEM_BYTES_MAX,
  STORE_SLICES_IN_FLIGHT_MAX,
  STORE_WRITES_IN_FLIGHT_MAX,
  STORE_WRITE_CALL_MS_MAX,
  STORE_WRITE_RACES_MAX,
} from '../../base/limits.ts'
import { eventTsText } from '../../base/time-text.ts'
import { OUTCOME } from '../../row/order-rule.ts'
import { ENTRY_TOMBSTONE } from '../write-batch.ts'
import type { DynamoCalls } from './dynamo-client.ts'
import { DynamoFailure } from './dynamo-failure.ts'
import { writeUnits } from './item-body.ts'
import { areEqual } from './key-judge.ts'
import { KeyWrite } from './key-write.ts'
import { auditSample, checkAudited } from './ledger-audit.ts'
import { LedgerEntries } from './ledger-record.ts'
import type { Doubt, Ledger } from './ledger.ts'
import { digest, digestRow, fingerprintHigh, fingerprintLow } from './row-digest.ts'
import { SeenVersion } from './seen-version.ts'
import { StoredRows } from './stored-items.ts'
import type { TableMemory } from './table-memory.ts'
import { unprocessedWrites } from './unprocessed-writes.ts'
import type { WriteCounters } from './write-counters.ts'
import type { WriteGroup } from './write-group.ts'
import { isItemTooLarge, refusedFault } from './write-fault.ts'
import type { WritePace } from './write-pace.ts'
import { forEachBounded } from './write-pace.ts'
import type { WrittenTable } from './written-table.ts'

export type RunParts = {
  readonly calls: DynamoCalls
  readonly table: WrittenTable
  readonly memory: TableMemory
  readonly callKeysMax: number
  readonly readPace: WritePace
  readonly writePace: WritePace
  readonly counters: WriteCounters
  readonly random: () => number
}

/** Of a delete, whose size nobody knows: DynamoDB bills the item that goes. */
const DELETE_UNITS = 1

export class GroupRun {
  readonly #parts: RunParts
  readonly #group: WriteGroup
  readonly #table: WrittenTable
  readonly #memory: TableMemory
  /** What a ledger learns of this group. */
  readonly #settled = new LedgerEntries()

  constructor(parts: RunParts, group: WriteGroup) {
    this.#parts = parts
    this.#group = group
    this.#table = parts.table
    this.#memory = parts.memory
  }

  /** Resolves when every entry has its outcome and what was accepted is in the table. */
  async write(): Promise<void> {
    if (this.#memory.kind === 'reads') {
      await this.#eachSlice(async (keys) => {
        const seen = await this.#readStored(keys)
        const writes = this.#judgeAll(keys, seen)
        await forEachBounded(writes, STORE_WRITES_IN_FLIGHT_MAX, (write) =>
          this.#settleWrite(write),
        )
      })
    } else if (this.#memory.kind === 'ledger') {
      await this.#writeByLedger(this.#memory.ledger)
    } else await this.#writeAssumed()
    this.#countSaved()
  }

  /** Gives every entry the outcome that `write` would give it now. */
  async judge(): Promise<void> {
    if (this.#memory.kind === 'reads') {
      await this.#eachSlice(async (keys) => {
        this.#judgeAll(keys, await this.#readStored(keys))
      })
    } else {
      const read = this.#memory.kind === 'ledger' ? await this.#readDoubtful([]) : new Map()
      this.#judgeAll(this.#allKeys(), (key) => read.get(key) ?? this.#remembered(key))
    }
    this.#countSaved()
  }

  #allKeys(): number[] {
    return Array.from(this.#group.ids.keys())
  }

  async #eachSlice(work: (keys: readonly number[]) => Promise<void>): Promise<void> {
    await forEachBounded(
      slicesOf(this.#allKeys(), this.#parts.callKeysMax),
      STORE_SLICES_IN_FLIGHT_MAX,
      work,
    )
  }

  /** The items of some keys as they are now. */
  async #readStored(keys: readonly number[]): Promise<(key: number) => SeenVersion> {
    const { calls, readPace, counters } = this.#parts
    const { bodies, items, name } = this.#table
    const space = new StoredRows()
    const versions = new Map(keys.map((key) => [this.#group.ids[key]!, new SeenVersion()]))
    let left = [...versions.keys()]
    const reading = readPace.run(`reads of ${name}`, async () => {
      const reply = await calls.call('BatchGetItem', bodies.read(left), STORE_WRITE_CALL_MS_MAX)
      left = items.readBatch(reply, space, versions)
      return left.length
    })
    await reading.catch((thrown: unknown) => {
      throw thrown instanceof DynamoFailure ? refusedFault(thrown, name) : thrown
    })
    counters.keysRead += keys.length
    for (const version of versions.values()) if (version.kind === 'row') version.rows = space.rows
    return (key) => versions.get(this.#group.ids[key]!)!
  }

  #judgeAll(keys: readonly number[], seenOf: (key: number) => SeenVersion): KeyWrite[] {
    return keys.flatMap((key) => this.#judgeKey(key, seenOf(key)) ?? [])
  }

  #judgeKey(key: number, seen: SeenVersion): KeyWrite | undefined {
    const { judge } = this.#table
    judge.judge(this.#group, key, seen)
    return KeyWrite.of(judge, key, this.#group.ids[key]!, seen)
  }

  /** Brings one key to its end: the write is done, or another version makes it needless. */
  async #settleWrite(first: KeyWrite): Promise<void> {
    let write = first
    for (let races = 0; races < STORE_WRITE_RACES_MAX;) {
      const met = await this.#attempt(write)
      if (met === 'done') return this.#finish(write)
      if (met !== 'refused') races++
      const seen = met === 'refused' ? this.#refuse(write) : met
      const next = this.#judgeKey(write.key, seen)
      if (next === undefined) return this.#settleAsSeen(write.id, seen)
      write = next
    }
    throw new Fault('write_failed', 'an item was changed by others each time that it was written', {
      where: `${this.#table.name}, entity_id ${write.id}`,
      allowed: 'running it again is always safe',
    })
  }

  /** 'done', 'refused' (no such item can be), or what stands in the write's way. */
  async #attempt(write: KeyWrite): Promise<'done' | 'refused' | SeenVersion> {
    const { calls, writePace } = this.#parts
    if (write.kind === 'mark') return 'done'
    const itemBytes = write.itemBytes(this.#table)
    if (itemBytes > ITEM_BYTES_MAX) return 'refused'
    const body = write.body(this.#table)
    try {
      await writePace.run(`writes of ${this.#table.name}`, async () => {
        try {
          await calls.call(write.operation, body, STORE_WRITE_CALL_MS_MAX)
        } catch (thrown) {
          if (thrown instanceof DynamoFailure && thrown.kind === 'unavailable') {
            write.mayBeDone = true
          }
          throw thrown
        }
        return 0
      })
    } catch (thrown) {
      if (!(thrown instanceof DynamoFailure)) throw thrown
      if (isItemTooLarge(thrown)) return 'refused'
      if (thrown.kind !== 'condition') throw refusedFault(thrown, this.#table.name)
      this.#bill(write, itemBytes)
      return this.#metOther(write, thrown.body)
    }
    this.#bill(write, itemBytes)
    return 'done'
  }

  /** A condition failed: another writer was there, or this write was, and its answer was lost. */
  #metOther(write: KeyWrite, body: Uint8Array): 'done' | SeenVersion {
    const seen = new SeenVersion()
    const isThere = this.#table.items.readOld(body, new StoredRows(), seen)
    if (write.mayBeDone && this.#isOwn(write, isThere, seen)) {
      this.#parts.counters.lostAnswersFound++
      return 'done'
    }
    this.#parts.counters.racesLost++
    if (!isThere) this.#seeAbsent(write.key, seen, undefined)
    return seen
  }

  #isOwn(write: KeyWrite, isThere: boolean, seen: SeenVersion): boolean {
    if (write.kind === 'delete') return !isThere
    if (!isThere || seen.timeText !== eventTsText(write.timeUs)) return false
    // The times of features, in a layout with times, are the writer's own.
    const { times, features } = this.#table.layout
    const from = times ? 8 * features.length : 0
    return (
      seen.rowBytes === write.rowBytes &&
      areEqual(
        seen.rows,
        seen.rowStart + from,
        write.rows,
        write.rowStart + from,
        write.rowBytes - from,
      )
    )
  }

  /** What an item that is not there means where a ledger remembers deletes, also one in doubt. */
  #seeAbsent(key: number, seen: SeenVersion, doubt: Doubt | undefined): void {
    seen.setNothing()
    if (this.#memory.kind !== 'ledger') return
    const { ledger } = this.#memory
    const id = this.#group.ids[key]!
    ledger.find(fingerprintLow(id), fingerprintHigh(id))
    if (doubt?.isDelete === true) seen.setTombstone(doubt.timeUs)
    else if (ledger.kind === 'tombstone') seen.setTombstone(ledger.timeUs)
  }

  #refuse(write: KeyWrite): SeenVersion {
    this.#group.refused[write.entry] = 1
    this.#parts.counters.rowsRefused++
    return write.seen
  }

  #bill(write: KeyWrite, itemBytes: number): void {
    const owner = this.#group.writeOf(write.entry)
    owner.writeUnits += write.kind === 'delete' ? DELETE_UNITS : writeUnits(itemBytes)
  }

  #finish(write: KeyWrite): void {
    const { counters } = this.#parts
    if (write.kind === 'put') counters.itemsPut++
    else if (write.kind === 'update') counters.itemsUpdated++
    else if (write.kind === 'delete') counters.itemsDeleted++
    const owner = this.#group.writeOf(write.entry)
    owner.bytesWritten += write.itemBytes(this.#table)
    if (this.#memory.kind === 'ledger') addEntry(this.#settled, write)
    else if (this.#memory.kind === 'assumed') {
      const { id, timeUs, rows, rowStart, rowBytes } = write
      if (write.isRow) this.#memory.own.remember(id, timeUs, rows, rowStart, rowBytes)
      else this.#memory.own.rememberDelete(id, timeUs)
    }
  }

  /** Nothing was to be written: a ledger learns what stands there. */
  #settleAsSeen(id: string, seen: SeenVersion): void {
    if (this.#memory.kind !== 'ledger') return
    const low = fingerprintLow(id)
    const high = fingerprintHigh(id)
    if (seen.isFromLedger) {
      const isRow = seen.kind === 'row'
      const timeUs = seen.kind === 'nothing' ? -Infinity : seen.timeUs
      this.#settled.add(low, high, isRow ? seen.digestLow : 0, isRow ? seen.digestHigh : 0, timeUs)
    } else if (seen.kind === 'row') {
      digestRow(id, seen.rows, seen.rowStart, seen.rowBytes)
      this.#settled.add(low, high, digest.low, digest.high, seen.timeUs)
    } else {
      this.#settled.add(low, high, 0, 0, seen.kind === 'tombstone' ? seen.timeUs : -Infinity)
    }
  }

  async #writeByLedger(ledger: Ledger): Promise<void> {
    const read = await this.#readDoubtful(this.#auditKeys())
    const writes: KeyWrite[] = []
    for (let key = 0; key < this.#group.ids.length; key++) {
      const seen = read.get(key) ?? this.#remembered(key)
      const write = this.#judgeKey(key, seen)
      if (write !== undefined) writes.push(write)
      else if (this.#doubt(ledger, key) !== undefined)
        this.#settleAsSeen(this.#group.ids[key]!, seen)
    }
    const intents = new LedgerEntries()
    for (const write of writes) if (write.kind !== 'mark') addEntry(intents, write)
    if (intents.count > 0) await ledger.intend(intents)
    try {
      await forEachBounded(writes, STORE_WRITES_IN_FLIGHT_MAX, (write) => this.#settleWrite(write))
    } finally {
      if (this.#settled.count > 0) await ledger.settle(this.#settled)
    }
  }

  #doubt(ledger: Ledger, key: number): Doubt | undefined {
    const id = this.#group.ids[key]!
    return ledger.doubt(fingerprintLow(id), fingerprintHigh(id))
  }

  #remembered(key: number): SeenVersion {
    const seen = new SeenVersion()
    const id = this.#group.ids[key]!
    if (this.#memory.kind === 'assumed') this.#memory.own.find(id, seen)
    else if (this.#memory.kind === 'ledger') {
      const { ledger } = this.#memory
      ledger.find(fingerprintLow(id), fingerprintHigh(id))
      seen.setLedger(ledger.kind, ledger.timeUs, ledger.digestLow, ledger.digestHigh)
    }
    return seen
  }

  #auditKeys(): readonly number[] {
    if (this.#memory.kind !== 'ledger') return []
    const { ledger, audit } = this.#memory
    const known = this.#allKeys().filter((key) => this.#doubt(ledger, key) === undefined)
    return auditSample(known, audit, this.#parts.random)
  }

  /** Reads the items of keys in doubt and of those to be audited, and compares the latter. */
  async #readDoubtful(audited: readonly number[]): Promise<Map<number, SeenVersion>> {
    const read = new Map<number, SeenVersion>()
    if (this.#memory.kind !== 'ledger') return read
    const { ledger } = this.#memory
    const doubtful = this.#allKeys().filter((key) => this.#doubt(ledger, key) !== undefined)
    const slices = slicesOf([...audited, ...doubtful], this.#parts.callKeysMax)
    await forEachBounded(slices, STORE_SLICES_IN_FLIGHT_MAX, async (keys) => {
      const seenOf = await this.#readStored(keys)
      for (const key of keys) read.set(key, seenOf(key))
    })
    for (const key of audited) {
      checkAudited(ledger, this.#group.ids[key]!, read.get(key)!, this.#table)
    }
    this.#parts.counters.keysAudited += audited.length
    for (const [key, seen] of read) {
      if (seen.kind === 'nothing') this.#seeAbsent(key, seen, this.#doubt(ledger, key))
    }
    return read
  }

  async #writeAssumed(): Promise<void> {
    const writes = this.#judgeAll(this.#allKeys(), (key) => this.#remembered(key))
    for (const write of writes) if (write.kind === 'mark') this.#finish(write)
    const calls = writes.filter(({ kind }) => kind !== 'mark')
    await forEachBounded(
      slicesOf(calls, BATCH_WRITE_ITEMS_MAX),
      STORE_WRITES_IN_FLIGHT_MAX,
      (some) => this.#writeBulk(some),
    )
  }

  async #writeBulk(writes: readonly KeyWrite[]): Promise<void> {
    const { calls, writePace } = this.#parts
    let left = new Map(writes.map((write) => [write.id, write]))
    try {
      await writePace.run(`writes of ${this.#table.name}`, async () => {
        const body = this.#table.bodies.bulk(left.values())
        const reply = await calls.call('BatchWriteItem', body, STORE_WRITE_CALL_MS_MAX)
        const unprocessed = new Set(unprocessedWrites(reply))
        for (const [id, write] of left) {
          if (unprocessed.has(id)) continue
          this.#bill(write, write.itemBytes(this.#table))
          this.#finish(write)
        }
        left = new Map([...left].filter(([id]) => unprocessed.has(id)))
        return left.size
      })
    } catch (thrown) {
      if (!(thrown instanceof DynamoFailure)) throw thrown
      if (!isItemTooLarge(thrown)) throw refusedFault(thrown, this.#table.name)
      await this.#writeApart([...left.values()])
    }
  }

  /** One of these is larger than an item may be, and DynamoDB does not say which. */
  async #writeApart(writes: readonly KeyWrite[]): Promise<void> {
    const [only] = writes
    if (writes.length > 1) {
      for (const write of writes) await this.#writeBulk([write])
    } else if (only !== undefined) {
      const next = this.#judgeKey(only.key, this.#refuse(only))
      if (next?.kind === 'mark') this.#finish(next)
      else if (next !== undefined) await this.#writeBulk([next])
    }
  }

  /** What change detection spared: rows that did not have to be written again. */
  #countSaved(): void {
    const { writes } = this.#group
    for (const write of writes) {
      const { batch, outcomes } = write
      for (let place = 0; place < batch.count; place++) {
        const outcome = outcomes[place]
        if (outcome !== OUTCOME.unchanged && outcome !== OUTCOME.touched) continue
        if (batch.kinds[place] === ENTRY_TOMBSTONE) continue
        const bytes = this.#table.item.itemBytes(
          batch.times[place]!,
          batch.rows,
          batch.rowStarts[place]!,
        )
        write.writeUnitsSaved += writeUnits(bytes)
      }
    }
  }
}

function* slicesOf<T>(all: readonly T[], count: number): Iterable<readonly T[]> {
  for (let start = 0; start < all.length; start += count) yield all.slice(start, start + count)
}

function addEntry(entries: LedgerEntries, write: KeyWrite): void {
  const { id, timeUs, rows, rowStart, rowBytes } = write
  const low = fingerprintLow(id)
  const high = fingerprintHigh(id)
  if (!write.isRow) return entries.add(low, high, 0, 0, timeUs)
  digestRow(id, rows, rowStart, rowBytes)
  entries.add(low, high, digest.low, digest.high, timeUs)
}
