/**
 * Writes Feast's tables in DynamoDB, item by item as Feast would, each on condition of exactly what was
 * seen: what another writer did meanwhile is judged again, never overwritten unseen.
 *
 * Readable for others at once only where they read consistently. What is `touched` in other stores is
 * `refreshed` here, or `unchanged` within the refresh gap: a row that comes late, between the stored
 * time and a later one that was not written, wins. Deletes take the item away, and block nothing that
 * comes later unless a ledger remembers them.
 */
import { Fault } from '../../base/fault.ts'
import {
  LAYOUTS_MAX,
  LEDGER_AUDIT_KEYS,
  REFRESH_WITHOUT_TTL_US,
  STORE_SLICES_IN_FLIGHT_MAX,
  STORE_WRITES_IN_FLIGHT_MAX,
  TABLES_MAX,
} from '../../base/limits.ts'
import { utf8Decoder } from '../../base/utf8.ts'
import { keyPrefix } from '../../row/entity-key.ts'
import { decodeLayout } from '../../row/layout.ts'
import type { RowWriter, TableHandle, TableSpec } from '../store.ts'
import { checkBatch } from '../check-batch.ts'
import type { WriteBatch, WriteOutcomes } from '../write-batch.ts'
import { ENTRY_ROW } from '../write-batch.ts'
import { callFor } from './call-for.ts'
import type { DynamoCalls } from './dynamo-client.ts'
import type { AbsentDelete } from './key-judge.ts'
import type { LedgerParts } from './open-ledger.ts'
import { openTableLedger } from './open-ledger.ts'
import { joinKeysOf } from './read-table.ts'
import type { TableMemory } from './table-memory.ts'
import { OwnWrites } from './table-memory.ts'
import { TableWriter } from './table-writer.ts'
import { WriteBodies } from './write-bodies.ts'
import { makeWriteCounters } from './write-counters.ts'
import type { PaceClock } from './write-pace.ts'
import { REAL_CLOCK, WritePace } from './write-pace.ts'
import { WrittenTable } from './written-table.ts'

export type DynamoWriterParts = {
  readonly calls: DynamoCalls
  /** A table's name in DynamoDB, by its view's table name. */
  readonly tableName: (name: string) => string
  /** Keys of one BatchGetItem. */
  readonly callKeysMax: number
  /** Undefined: a quarter of each table's ttl, a day without one. */
  readonly refreshAfterUs: number | undefined
  /** Tables hold nothing that this process did not write: nothing is read, and nothing conditional. */
  readonly assumeEmpty: boolean
  readonly ledger: LedgerParts | undefined
}

/** A table by its name in the catalog and its keys. */
type OpenTable = {
  readonly number: number
  readonly writer: TableWriter
  readonly prefix: Uint8Array
  readonly memory: TableMemory
  readonly name: string
  /** By the layout's number. */
  readonly written: Map<number, WrittenTable>
}

export class DynamoWriter implements RowWriter {
  readonly #parts: DynamoWriterParts
  readonly #clock: PaceClock
  readonly counters = makeWriteCounters()
  readonly #readPace: WritePace
  readonly #writePace: WritePace
  /** By name and key signature, and by number - 1. */
  readonly #opening = new Map<string, Promise<OpenTable>>()
  readonly #tables: OpenTable[] = []
  readonly #layoutNumbers = new Map<string, number>()

  constructor(parts: DynamoWriterParts, clock: PaceClock = REAL_CLOCK) {
    this.#parts = parts
    this.#clock = clock
    this.#readPace = new WritePace(clock, STORE_SLICES_IN_FLIGHT_MAX, this.counters)
    this.#writePace = new WritePace(clock, STORE_WRITES_IN_FLIGHT_MAX, this.counters)
  }

  /** Writes that may be under way now: fewer than at the start while the store throttles. */
  get inFlightMax(): number {
    return this.#writePace.limit
  }

  /** The table must be there: Feast's `apply` makes it, or `salver tables create`. */
  async openTable(spec: TableSpec): Promise<TableHandle> {
    const table = await this.#tableOf(spec)
    const text = utf8Decoder.decode(spec.layout)
    const layout = this.#layoutNumber(text)
    // The same layout again may come with another ttl.
    const refreshAfterUs = this.#refreshAfterUs(spec)
    if (table.written.get(layout)?.refreshAfterUs !== refreshAfterUs) {
      table.written.set(layout, this.#written(table, spec.layout, refreshAfterUs))
    }
    return { table: table.number, layout }
  }

  async writeMany(batch: WriteBatch): Promise<WriteOutcomes> {
    const { writer, written } = this.#table(batch)
    return writer.write(written, batch)
  }

  /** The outcomes that `writeMany` would give now; nothing is written. */
  async judgeMany(batch: WriteBatch): Promise<WriteOutcomes> {
    const { writer, written } = this.#table(batch)
    return writer.judge(written, batch)
  }

  /** Resolves when what was handed over is answered; no batch may come after it. */
  async close(): Promise<void> {
    for (const { writer } of this.#tables) await writer.close()
  }

  #table(batch: WriteBatch): { writer: TableWriter; written: WrittenTable } {
    const { table, layout } = batch
    const opened = this.#tables[table - 1]
    const written = opened?.written.get(layout)
    if (opened === undefined || written === undefined) {
      throw new Fault('invalid_request', `table ${table} was not opened in layout ${layout}`)
    }
    checkBatch(batch)
    checkRows(written, batch)
    return { writer: opened.writer, written }
  }

  /** One that failed to open is tried again by the next who asks. */
  #tableOf(spec: TableSpec): Promise<OpenTable> {
    const identity = JSON.stringify([spec.name, spec.keySignature])
    const known = this.#opening.get(identity)
    if (known !== undefined) return known
    const opening = this.#open(spec).catch((error: unknown) => {
      this.#opening.delete(identity)
      throw error
    })
    this.#opening.set(identity, opening)
    return opening
  }

  async #open(spec: TableSpec): Promise<OpenTable> {
    if (this.#tables.length >= TABLES_MAX) throw tooMany('tables', TABLES_MAX)
    const name = this.#parts.tableName(spec.name)
    await this.#probe(name)
    const memory = await this.#memoryOf(name, spec)
    const prefix = keyPrefix(joinKeysOf(spec.keySignature))
    const { calls, callKeysMax } = this.#parts
    const writer = new TableWriter({
      calls,
      memory,
      callKeysMax,
      readPace: this.#readPace,
      writePace: this.#writePace,
      counters: this.counters,
      random: this.#clock.random,
    })
    const number = this.#tables.length + 1
    const table = { number, writer, prefix, memory, name, written: new Map() }
    this.#tables.push(table)
    return table
  }

  /** Reads a key that no entity has: the cheapest call that tells a table that is not there, or another's. */
  async #probe(name: string): Promise<void> {
    const about = { calls: this.#parts.calls, pace: this.#readPace, name }
    await callFor(about, 'BatchGetItem', WriteBodies.read(name, [NO_ENTITY]))
  }

  async #memoryOf(name: string, spec: TableSpec): Promise<TableMemory> {
    const { ledger, assumeEmpty, calls } = this.#parts
    if (ledger !== undefined) {
      const opened = await openTableLedger(ledger, {
        name,
        layout: spec.layout,
        calls,
        pace: this.#readPace,
      })
      return { kind: 'ledger', ledger: opened, audit: { left: LEDGER_AUDIT_KEYS } }
    }
    // What a partial row is merged with must be read.
    if (assumeEmpty && !decodeLayout(spec.layout).times)
      return { kind: 'assumed', own: new OwnWrites() }
    return { kind: 'reads' }
  }

  #refreshAfterUs({ ttlUs }: TableSpec): number {
    const own = ttlUs === 0 ? REFRESH_WITHOUT_TTL_US : ttlUs / 4
    return this.#parts.refreshAfterUs ?? own
  }

  #written(
    { name, prefix, memory }: OpenTable,
    layout: Uint8Array,
    refreshAfterUs: number,
  ): WrittenTable {
    if (memory.kind === 'ledger') memory.ledger.checkLayout(utf8Decoder.decode(layout))
    const absentDelete = ABSENT_DELETES[memory.kind]
    return new WrittenTable(name, prefix, layout, { refreshAfterUs, absentDelete })
  }

  #layoutNumber(text: string): number {
    const known = this.#layoutNumbers.get(text)
    if (known !== undefined) return known
    const number = this.#layoutNumbers.size + 1
    if (number > LAYOUTS_MAX) throw tooMany('layouts', LAYOUTS_MAX)
    this.#layoutNumbers.set(text, number)
    return number
  }
}

/** Rows are taken apart value by value: one too short for its layout has none. */
function checkRows({ layout }: WrittenTable, batch: WriteBatch): void {
  for (let place = 0; place < batch.count; place++) {
    if (batch.kinds[place] !== ENTRY_ROW || batch.rowBytes[place]! >= layout.fixedBytes) continue
    throw new Fault('invalid_row', `a row of ${batch.rowBytes[place]} bytes`, {
      where: `entry ${place} of a batch`,
      allowed: `at least ${layout.fixedBytes} in its layout`,
    })
  }
}

/** A ledger remembers a delete; an item that it does not know of is deleted all the same. */
const ABSENT_DELETES: Readonly<Record<TableMemory['kind'], AbsentDelete>> = {
  reads: 'none',
  ledger: 'delete',
  assumed: 'mark',
}

const NO_ENTITY = '0'.repeat(32)

const tooMany = (what: string, max: number): Fault =>
  new Fault('too_large', `more ${what} were written since the start than can be told apart`, {
    allowed: `${max} ${what}: start again`,
  })
