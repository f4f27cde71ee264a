/**
 * Writes one table: batches that wait are taken together, judged and written, one group after the
 * other, so that batches are applied in the order in which they came.
 */
import { Fault } from '../../base/fault.ts'
import { CHUNK_ROWS_MAX, LANE_QUEUE_BYTES_MAX, LANE_QUEUE_WRITES_MAX } from '../../base/limits.ts'
import type { WriteBatch, WriteOutcomes } from '../write-batch.ts'
import type { RunParts } from './group-run.ts'
import { GroupRun } from './group-run.ts'
import type { WaitingWrite } from './write-group.ts'
import { WriteGroup } from './write-group.ts'
import type { WrittenTable } from './written-table.ts'

export type TableWriterParts = Omit<RunParts, 'table'>

export class TableWriter {
  readonly #parts: TableWriterParts
  readonly #waiting: { readonly write: WaitingWrite; readonly table: WrittenTable }[] = []
  #waitingBytes = 0
  /** Resolves when nothing waits any more; undefined while nothing does. */
  #draining: Promise<void> | undefined

  constructor(parts: TableWriterParts) {
    this.#parts = parts
  }

  /** `table` in the batch's layout. A full queue refuses a direct write; others hold few at once. */
  write(table: WrittenTable, batch: WriteBatch): Promise<WriteOutcomes> {
    const isFull =
      this.#waiting.length >= LANE_QUEUE_WRITES_MAX || this.#waitingBytes >= LANE_QUEUE_BYTES_MAX
    if (batch.lane === 'direct' && isFull) return Promise.reject(overloaded())
    const { promise, resolve, reject } = Promise.withResolvers<WriteOutcomes>()
    this.#waiting.push({ write: waitingWrite(batch, resolve, reject), table })
    this.#waitingBytes += bytesOf(batch)
    this.#draining ??= this.#drain()
    return promise
  }

  /** The outcomes that `write` would give now. */
  async judge(table: WrittenTable, batch: WriteBatch): Promise<WriteOutcomes> {
    const write = waitingWrite(batch, noAnswer, noAnswer)
    await new GroupRun({ ...this.#parts, table }, new WriteGroup(table.ids, [write])).judge()
    return outcomesOf(write)
  }

  async close(): Promise<void> {
    await this.#draining
    if (this.#parts.memory.kind === 'ledger') this.#parts.memory.ledger.close()
  }

  async #drain(): Promise<void> {
    // Those that come in the same turn are taken together.
    await Promise.resolve()
    while (this.#waiting.length > 0) await this.#runNext()
    this.#draining = undefined
  }

  /** Rejects no caller's promise unhandled: each batch of the group is answered here. */
  async #runNext(): Promise<void> {
    const { table, writes } = this.#takeGroup()
    try {
      await new GroupRun({ ...this.#parts, table }, new WriteGroup(table.ids, writes)).write()
      for (const write of writes) write.resolve(outcomesOf(write))
    } catch (error) {
      for (const write of writes) write.reject(error)
    }
  }

  /** The first batch that waits, and those behind it in the same layout as far as a group reaches. */
  #takeGroup(): { table: WrittenTable; writes: WaitingWrite[] } {
    const table = this.#waiting[0]!.table
    const writes: WaitingWrite[] = []
    let entries = 0
    for (const next of this.#waiting) {
      entries += next.write.batch.count
      if (next.table !== table || (writes.length > 0 && entries > CHUNK_ROWS_MAX)) break
      writes.push(next.write)
    }
    this.#waiting.splice(0, writes.length)
    for (const { batch } of writes) this.#waitingBytes -= bytesOf(batch)
    return { table, writes }
  }
}

const noAnswer = (): void => undefined

const bytesOf = (batch: WriteBatch): number => batch.keys.length + batch.rows.length

const waitingWrite = (
  batch: WriteBatch,
  resolve: WaitingWrite['resolve'],
  reject: WaitingWrite['reject'],
): WaitingWrite => ({
  batch,
  outcomes: new Uint8Array(batch.count),
  resolve,
  reject,
  bytesWritten: 0,
  writeUnits: 0,
  writeUnitsSaved: 0,
})

const outcomesOf = (write: WaitingWrite): WriteOutcomes => ({
  outcomes: write.outcomes,
  bytesWritten: write.bytesWritten,
  writeUnits: write.writeUnits,
  writeUnitsSaved: write.writeUnitsSaved,
})

const overloaded = (): Fault =>
  new Fault('overloaded', 'too many writes wait for DynamoDB', {
    allowed: `at most ${LANE_QUEUE_WRITES_MAX} at once, and ${LANE_QUEUE_BYTES_MAX} bytes`,
  })
