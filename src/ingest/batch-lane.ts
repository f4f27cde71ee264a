/**
 * One batch: from a source through normalise to a sink, in bounded memory: one chunk is decoded while
 * at most SINK_BATCHES_MAX batches are on their way. A run that is cut off has written some of its
 * rows; the same run again writes the others, for the order rule makes each write safe to repeat.
 */
import { Fault } from '../base/fault.ts'
import { SINK_BATCHES_MAX } from '../base/limits.ts'
import type { FeatureView } from '../catalog/catalog.ts'
import type { Layout } from '../row/layout.ts'
import type { NormalisedBatch, Reject } from './normaliser.ts'
import { Normaliser } from './normaliser.ts'
import type { Receipt } from './receipt.ts'
import { Tally, makeReceipt } from './receipt.ts'
import type { RejectsFile } from './rejects-file.ts'
import { batchNames, checkColumns } from './row-names.ts'
import type { RowNames } from './row-names.ts'
import type { Sink, SinkOutcomes } from './sink.ts'
import type { Chunk, Source, SourceFile } from './source.ts'

export type Progress = {
  readonly rows: number
  /** From 0 to 1, by bytes of the files. */
  readonly fraction: number
  readonly rejected: number
}

export type BatchRun = {
  readonly view: FeatureView
  readonly layout: Layout
  readonly source: Source
  readonly sink: Sink
  readonly dryRun: boolean
  readonly rejects: RejectsFile
  /** The run stops once more rows than this were rejected. */
  readonly rejectsMax: number
  readonly futureMarginUs: number
  readonly nowUs: () => number
  readonly onProgress: (progress: Progress) => void
  /** Told what was done before the run rejects: a run that fails has written rows too. */
  readonly onCutOff: (receipt: Receipt) => void
  /** Aborted: what is on its way is finished, nothing more is read. */
  readonly signal: AbortSignal
}

/** Rejects with a Fault where the source or the sink fails, once `onCutOff` was told the receipt. */
export const runBatch = (run: BatchRun): Promise<Receipt> => new BatchLane(run).run()

class BatchLane {
  readonly #run: BatchRun
  readonly #names: RowNames
  readonly #normaliser: Normaliser
  readonly #tally = new Tally()
  /** Batches on their way, in their order. */
  readonly #sent: Promise<void>[] = []
  readonly #ignored = new Set<string>()
  readonly #startMs = performance.now()
  #normaliseMs = 0
  #writeMs = 0
  #bytesDone = 0
  #stopped = ''

  constructor(run: BatchRun) {
    const { view, layout, futureMarginUs, nowUs } = run
    this.#run = run
    this.#names = batchNames(view)
    this.#normaliser = new Normaliser({ view, layout, names: this.#names, futureMarginUs, nowUs })
  }

  async run(): Promise<Receipt> {
    try {
      await this.#runFiles()
    } catch (thrown) {
      // Nothing of this run goes on behind its caller's back, and the receipt counts all of it.
      await Promise.allSettled(this.#sent)
      this.#stopped = reasonOf(thrown)
      this.#run.onCutOff(this.#receipt())
      throw thrown
    }
    return this.#receipt()
  }

  async #runFiles(): Promise<void> {
    const { files } = this.#run.source
    for (const file of files) this.#checkFile(file)
    for (const file of files) await this.#runFile(file)
    await this.#settle(0)
  }

  /** Before anything is written: a column that is not there is not there in any row. */
  #checkFile({ path, columns }: SourceFile): void {
    if (columns === undefined) return
    for (const name of checkColumns(this.#names, columns, path)) this.#ignored.add(name)
  }

  async #runFile(file: SourceFile): Promise<void> {
    if (this.#stopped !== '') return
    for await (const chunk of file.chunks()) {
      await this.#addChunk(chunk)
      this.#tellProgress(chunk.fileBytesRead)
      if (this.#run.signal.aborted) this.#stopped = 'interrupted'
      this.#checkRejects()
      if (this.#stopped !== '') break
    }
    if (this.#normaliser.count > 0) await this.#send(file.path)
    this.#bytesDone += file.bytes
  }

  async #addChunk(chunk: Chunk): Promise<void> {
    this.#tally.read += chunk.rows
    let fromMs = performance.now()
    for (const _ of this.#normaliser.add(chunk)) {
      this.#normaliseMs += performance.now() - fromMs
      await this.#send(chunk.file)
      fromMs = performance.now()
    }
    this.#normaliseMs += performance.now() - fromMs
    const { rejects, lost } = this.#normaliser.takeLeftOut()
    this.#tally.countOlder(lost.length)
    this.#reject(chunk.file, rejects, chunk)
  }

  async #send(file: string): Promise<void> {
    const { sink } = this.#run
    const normalised = this.#normaliser.take(sink.table, sink.layout, 'batch')
    const fromMs = performance.now()
    const done = sink
      .write(normalised.batch)
      .then((outcomes) => this.#count(normalised, outcomes, file))
    this.#writeMs += performance.now() - fromMs
    done.catch(() => undefined) // #settle hears of it
    this.#sent.push(done)
    await this.#settle(SINK_BATCHES_MAX - 1)
  }

  /** Waits until at most so many batches are on their way. */
  async #settle(most: number): Promise<void> {
    const fromMs = performance.now()
    while (this.#sent.length > most) {
      await this.#sent[0]
      this.#sent.shift()
    }
    this.#writeMs += performance.now() - fromMs
  }

  #count({ batch, rows }: NormalisedBatch, outcomes: SinkOutcomes, file: string): void {
    this.#tally.countOutcomes(batch, outcomes)
    const refused = outcomes.refused.map(({ index, column, reason }) => ({
      row: rows[index]!,
      column,
      reason,
    }))
    this.#run.rejects.write(this.#run.view.name, file, refused, undefined)
  }

  #reject(file: string, rejects: readonly Reject[], chunk: Chunk): void {
    this.#tally.countRejected(rejects.length)
    this.#run.rejects.write(this.#run.view.name, file, rejects, chunk)
  }

  #tellProgress(fileBytesRead: number): void {
    const { source, onProgress } = this.#run
    const { read, rejected } = this.#tally
    const fraction = (this.#bytesDone + fileBytesRead) / Math.max(1, source.bytes)
    onProgress({ rows: read, fraction: Math.min(1, fraction), rejected })
  }

  #checkRejects(): void {
    const { rejectsMax } = this.#run
    if (this.#stopped !== '' || this.#tally.rejected <= rejectsMax) return
    this.#stopped = `more than ${rejectsMax} rows were rejected`
  }

  #receipt(): Receipt {
    this.#checkRejects()
    const { view, source, dryRun, rejects } = this.#run
    const totalMs = performance.now() - this.#startMs
    const decodeMs = Math.max(0, totalMs - this.#normaliseMs - this.#writeMs)
    const facts = {
      view: view.name,
      source: source.name,
      dryRun,
      stopped: this.#stopped,
      ignoredColumns: [...this.#ignored],
      rejectsPath: this.#tally.rejected > 0 ? rejects.path : '',
      seconds: {
        decode: decodeMs / 1000,
        normalise: this.#normaliseMs / 1000,
        write: this.#writeMs / 1000,
        total: totalMs / 1000,
      },
    }
    return makeReceipt(facts, this.#tally)
  }
}

/** Why a run was cut off, as its receipt says it. */
export function reasonOf(thrown: unknown): string {
  if (!(thrown instanceof Fault)) return String(thrown)
  return thrown.where === undefined ? thrown.message : `${thrown.where}: ${thrown.message}`
}
