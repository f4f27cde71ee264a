/**
 * The one writer of a store. One loop: take what waits, judge it against the index and against the
 * group in the making, append, sync, publish, acknowledge. Nothing of the next group is compared before
 * this one is published; compaction and other jobs run in steps between groups, never inside one.
 */
import { BATCH_SHARE_MS_MAX, COMPACTION_RETRY_MS, SCRUB_PAUSE_MS } from '../../base/limits.ts'
import { Fault } from '../../base/fault.ts'
import { decodeLayout } from '../../row/layout.ts'
import type { RowWriter, StoreStats, TableHandle, TableSpec } from '../store.ts'
import type { Lane, WriteBatch, WriteOutcomes } from '../write-batch.ts'
import { NO_UNITS } from '../write-batch.ts'
import { AttachedReaders } from './attached-readers.ts'
import { Compaction } from './compaction.ts'
import { writeFault } from './disk.ts'
import { dropTableSteps } from './drop-table.ts'
import { GroupJudge } from './group-judge.ts'
import { GroupPublisher } from './group-publisher.ts'
import { LANES, LaneQueues } from './lane-queues.ts'
import type { LogState } from './log-state.ts'
import { LogWriter } from './log-writer.ts'
import { describeState } from './describe-state.ts'
import { QueuedWrite } from './queued-write.ts'
import { Scrub } from './scrub.ts'
import type { SegmentRoster } from './segment-roster.ts'
import type { ReaderUpdate, SharedIndex } from './shared-index.ts'
import { sharedIndexOf } from './shared-index.ts'
import type { Tables } from './tables.ts'
import { layoutNumberOf, tableNumberOf, withTable, withoutTable, writeTables } from './tables.ts'
import type { VerifyReport } from './verify-store.ts'
import { verifyState } from './verify-store.ts'

/**
 * `sync` acknowledges when the disk has the rows. `process` acknowledges when the kernel has them: a
 * killed process loses nothing, a power cut what was written in the last seconds.
 */
export type Durability = 'sync' | 'process'

export type WriterOptions = {
  readonly durability: Durability
  /** Now, in microseconds. */
  readonly clock: () => number
  /** The last thing at `close`: `isWell` if the index is what the log says. */
  readonly release: (isWell: boolean) => void
}

/** Work between groups: does a bounded step, and says whether it is done. Must not throw. */
type Job = () => Promise<boolean>

/** Shares of a group that direct and stream writes may fill while others wait behind them. */
const SHARES: Readonly<Record<Lane, number>> = { direct: 3 / 4, stream: 7 / 8, batch: 1 }

export class EmbeddedWriter implements RowWriter {
  readonly #state: LogState
  readonly #options: WriterOptions
  readonly #readers = new AttachedReaders()
  readonly #queues = new LaneQueues()
  readonly #entries: LogWriter
  readonly #copies: LogWriter
  readonly #judge: GroupJudge
  readonly #publisher: GroupPublisher
  readonly #compaction: Compaction
  readonly #scrub: Scrub
  readonly #jobs: Job[] = []
  /** Callers that wait for an answer. */
  readonly #waiting = new Set<Promise<unknown>>()
  #compacted: PromiseWithResolvers<void>[] = []
  /** After a failed step: until it is tried again. */
  #isCompactionPaused = false
  #retryTimer: Timer | undefined
  #isRunning = false
  #isClosed = false
  /** The index may not be what the log says: nothing more is written by this process. */
  #broken: unknown

  constructor(state: LogState, roster: SegmentRoster, options: WriterOptions) {
    this.#state = state
    this.#options = options
    this.#entries = new LogWriter(state, roster, 'entries')
    this.#copies = new LogWriter(state, roster, 'copies')
    this.#judge = new GroupJudge(state, this.#entries.builder)
    this.#publisher = new GroupPublisher(state, this.#readers)
    this.#compaction = new Compaction({
      state,
      roster,
      readers: this.#readers,
      entries: this.#entries,
      copies: this.#copies,
      publisher: this.#publisher,
      clock: options.clock,
    })
    for (const segment of state.segments.all()) {
      if (roster.isSealed(segment)) continue
      const log = segment.horizon === 0 ? this.#entries : this.#copies
      log.resume(segment)
    }
    this.#scrub = new Scrub(state)
    this.#scrubWhenIdle()
  }

  /**
   * A reader, in this thread or another, is to start from `index` and to be given every update after it
   * in order, each to be acknowledged once applied.
   */
  attachReader(post: (update: ReaderUpdate) => void): { reader: number; index: SharedIndex } {
    return { reader: this.#readers.attach(post), index: sharedIndexOf(this.#state) }
  }

  acknowledge(reader: number, updateNumber: number): void {
    this.#readers.acknowledge(reader, updateNumber)
    this.#wake()
  }

  detachReader(reader: number): void {
    this.#readers.detach(reader)
    this.#wake()
  }

  async openTable(spec: TableSpec): Promise<TableHandle> {
    this.#refuseClosed()
    decodeLayout(spec.layout) // an unreadable one is refused before it is kept
    const tables = withTable(this.#state.tables, spec)
    if (tables !== this.#state.tables) await this.#changeTables(tables)
    return {
      table: tableNumberOf(tables, spec.name, spec.keySignature),
      layout: layoutNumberOf(tables, spec.layout),
    }
  }

  async writeMany(batch: WriteBatch): Promise<WriteOutcomes> {
    this.#refuseClosed()
    this.#checkNumbers(batch)
    return this.#whileOpen(this.#enqueue(new QueuedWrite(batch)))
  }

  /** What `writeMany` would answer now, and nothing is written: for a dry run. */
  async judgeMany(batch: WriteBatch): Promise<WriteOutcomes> {
    this.#refuseClosed()
    this.#checkNumbers(batch)
    const write = new QueuedWrite(batch)
    await this.#runJob(async () => this.#judgeOnly(write))
    return { outcomes: write.outcomes, bytesWritten: 0, ...NO_UNITS }
  }

  async dropTable(table: number): Promise<number> {
    this.#refuseClosed()
    const held = this.#state.tables.tables[table - 1]
    if (held === undefined || held.isDropped) {
      throw new Fault('unknown_view', `the store has no table ${table}`)
    }
    await this.#changeTables(withoutTable(this.#state.tables, table))
    const rows = this.#state.rows[table]!
    const steps = dropTableSteps(this.#state, table)
    await this.#runJob(async () => steps.next().done === true)
    return rows
  }

  /** Compacts every segment of now that holds anything superseded; its files are gone on return. */
  async compact(): Promise<void> {
    this.#refuseClosed()
    const done = Promise.withResolvers<void>()
    await this.#runJob(async () => {
      await this.#entries.seal()
      await this.#copies.seal()
      this.#compaction.askAll()
      this.#compacted.push(done)
      return true
    })
    await this.#whileOpen(done.promise)
  }

  /** Between `pin` and `unpin` what the index named stays readable where it was. */
  pin(): void {
    this.#compaction.pin()
  }

  unpin(): void {
    this.#compaction.unpin()
    this.#wake()
  }

  /** Compares log, index and served values, between two groups. */
  async verify(): Promise<VerifyReport> {
    this.#refuseClosed()
    const report = Promise.withResolvers<VerifyReport>()
    await this.#runJob(async () => {
      report.resolve(verifyState(this.#state))
      return true
    })
    return report.promise
  }

  stats(): StoreStats {
    return describeState(this.#state, this.#queues.depths())
  }

  /** Refuses what comes from now on, answers what waits, and makes everything durable. */
  async close(): Promise<void> {
    this.#isClosed = true
    while (this.#waiting.size > 0) await Promise.allSettled(this.#waiting)
    while (this.#isRunning) await nextTurn()
    try {
      if (this.#broken === undefined) await this.#entries.sync()
    } catch (error) {
      this.#broken = error
      throw error
    } finally {
      clearTimeout(this.#retryTimer)
      this.#entries.close()
      this.#copies.close()
      this.#options.release(this.#broken === undefined)
    }
  }

  #refuseClosed(): void {
    if (this.#broken !== undefined) {
      const detail = { cause: this.#broken }
      throw new Fault('unavailable', 'the store stopped writing after an error; restart it', detail)
    }
    if (this.#isClosed) throw new Fault('unavailable', 'the store is being closed')
  }

  #checkNumbers(batch: WriteBatch): void {
    const { tables, layouts } = this.#state.tables
    const table = tables[batch.table - 1]
    if (table === undefined || table.isDropped) {
      throw new Fault('invalid_request', `the store has no table ${batch.table}`)
    }
    if (layouts[batch.layout - 1] === undefined) {
      throw new Fault('invalid_request', `the store has no layout ${batch.layout}`)
    }
  }

  async #changeTables(tables: Tables): Promise<void> {
    const { place } = this.#state
    try {
      this.#state.beforeChange()
      writeTables(place.disk, place.directory, tables)
    } catch (error) {
      throw writeFault(error, `${place.directory}/TABLES`)
    }
    this.#state.tables = tables
    await this.#whileOpen(this.#readers.allPassed(this.#readers.tell({ kind: 'tables', tables })))
  }

  async #enqueue(write: QueuedWrite): Promise<WriteOutcomes> {
    await this.#queues.enter(write)
    this.#wake()
    return write.done
  }

  async #whileOpen<T>(work: Promise<T>): Promise<T> {
    this.#waiting.add(work)
    try {
      return await work
    } finally {
      this.#waiting.delete(work)
    }
  }

  /** Resolves when the job has said that it is done, rejects if it throws. */
  #runJob(job: Job): Promise<void> {
    const done = Promise.withResolvers<void>()
    this.#jobs.push(async () => {
      try {
        if (!(await job())) return false
        done.resolve()
      } catch (error) {
        done.reject(error)
      }
      return true
    })
    this.#wake()
    return this.#whileOpen(done.promise)
  }

  #wake(): void {
    if (this.#isRunning || !this.#hasWork()) return
    this.#isRunning = true
    void this.#run()
  }

  #hasWork(): boolean {
    if (!this.#queues.isEmpty() || this.#jobs.length > 0) return true
    return (!this.#isClosed || this.#compacted.length > 0) && this.#isCompactionDue()
  }

  #isCompactionDue(): boolean {
    return !this.#isCompactionPaused && this.#compaction.isDue()
  }

  /** The loop. It never rejects: each step answers for its own failures. */
  async #run(): Promise<void> {
    // Callers of this turn come into the first group together.
    await nextTurn()
    while (this.#hasWork()) {
      this.#publisher.releaseLeft()
      if (!this.#queues.isEmpty()) await this.#commitGroup()
      if ((await this.#jobs[0]?.()) === true) this.#jobs.shift()
      if (this.#isCompactionDue()) await this.#stepCompaction()
      if (!this.#compaction.isAsked()) this.#settleCompacted((waiting) => waiting.resolve())
      await nextTurn()
    }
    this.#isRunning = false
  }

  /** One bounded step each time the writer has had nothing to do for a while. */
  #scrubWhenIdle(): void {
    if (this.#isClosed || this.#scrub.isDone()) return
    const { groups } = this.#state.counters
    setTimeout(() => {
      const wasIdle = groups === this.#state.counters.groups && !this.#isRunning
      if (wasIdle && !this.#isClosed) this.#scrub.step()
      this.#scrubWhenIdle()
    }, SCRUB_PAUSE_MS).unref()
  }

  async #commitGroup(): Promise<void> {
    const group = new Set<QueuedWrite>()
    try {
      if (this.#broken !== undefined) this.#refuseClosed()
      await this.#entries.begin()
      this.#judge.begin()
      this.#fillGroup(group)
      if (this.#judge.pending.count > 0) await this.#writeGroup()
    } catch (error) {
      this.#state.counters.groupsFailed++
      this.#refuse(group.size > 0 ? group : this.#takeAll(), error)
      return
    }
    for (const write of group) if (write.isJudged) write.resolve()
  }

  async #writeGroup(): Promise<void> {
    this.#judge.finish()
    const { segment, builder } = this.#entries
    const start = segment.end
    await this.#entries.commit(this.#options.durability === 'sync')
    try {
      await this.#publisher.publish(this.#judge.pending, { view: builder.view, segment, start })
    } catch (error) {
      this.#broken = error
      throw error
    }
  }

  /** Direct writes first, then streams, then what the batch lane gets done in its share of time. */
  #fillGroup(group: Set<QueuedWrite>): void {
    const bytesMax = this.#entries.groupBytesMax
    for (const lane of LANES) {
      if (lane === 'batch' && this.#compaction.isBehind() && this.#isCompactionDue()) continue
      const untilMs = lane === 'batch' ? performance.now() + BATCH_SHARE_MS_MAX : Infinity
      const isAlone = LANES.every(
        (other) => other === lane || this.#queues.first(other) === undefined,
      )
      this.#fillFrom(lane, group, isAlone ? bytesMax : bytesMax * SHARES[lane], untilMs)
    }
  }

  #fillFrom(lane: Lane, group: Set<QueuedWrite>, bytesMax: number, untilMs: number): void {
    for (;;) {
      const write = this.#queues.first(lane)
      if (write === undefined) return
      group.add(write)
      try {
        this.#checkNumbers(write.batch) // its table may have been dropped while it waited
        if (!this.#judge.take(write, bytesMax, untilMs)) return
      } catch (error) {
        group.delete(write)
        write.reject(error)
      }
      this.#queues.shift(lane)
      if (performance.now() > untilMs) return
    }
  }

  /** A write that was judged in part is refused as a whole: what follows was not looked at. */
  #refuse(writes: Iterable<QueuedWrite>, error: unknown): void {
    const fault = error instanceof Fault ? error : writeFault(error, this.#state.place.directory)
    for (const write of writes) {
      if (this.#queues.first(write.batch.lane) === write) this.#queues.shift(write.batch.lane)
      write.reject(fault)
    }
  }

  #takeAll(): QueuedWrite[] {
    const taken: QueuedWrite[] = []
    for (const lane of LANES) {
      for (let write = this.#queues.first(lane); write; write = this.#queues.first(lane)) {
        taken.push(write)
        this.#queues.shift(lane)
      }
    }
    return taken
  }

  async #stepCompaction(): Promise<void> {
    try {
      await this.#compaction.step()
    } catch (error) {
      // The log stays as it was. At a full disk there may be room again later, and so we try again.
      this.#pauseCompaction()
      this.#state.counters.compactionsFailed++
      this.#settleCompacted((waiting) =>
        waiting.reject(writeFault(error, this.#state.place.directory)),
      )
    }
  }

  #pauseCompaction(): void {
    this.#isCompactionPaused = true
    this.#retryTimer = setTimeout(() => {
      this.#isCompactionPaused = false
      this.#wake()
    }, COMPACTION_RETRY_MS)
  }

  #settleCompacted(settle: (waiting: PromiseWithResolvers<void>) => void): void {
    for (const waiting of this.#compacted) settle(waiting)
    this.#compacted = []
  }

  /** Judges without a group to be written: the state is left as it was. */
  #judgeOnly(write: QueuedWrite): boolean {
    const { lastSequence } = this.#state
    while (!write.isJudged) {
      this.#entries.builder.begin(0, Infinity)
      this.#judge.begin()
      this.#judge.take(write, Infinity, Infinity)
    }
    this.#state.lastSequence = lastSequence
    return true
  }
}

/** Lets messages and other callers of this thread in. */
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
