/** `salver ingest batch`: files into a data directory or into a running server, and a receipt. */
import { resolve } from 'node:path'
import { Fault } from '../base/fault.ts'
import type { Catalog, FeatureView } from '../catalog/catalog.ts'
import { openCatalog } from '../catalog/open-catalog.ts'
import type { IngestBatchCommand } from '../cli/command.ts'
import type { Io } from '../cli/io.ts'
import { reasonOf, runBatch } from '../ingest/batch-lane.ts'
import { withRepeats } from '../ingest/dry-run.ts'
import { openSource } from '../ingest/open-source.ts'
import { progressLine } from '../ingest/progress-line.ts'
import { emptyJudge, readerJudge } from '../ingest/reader-judge.ts'
import { receiptJson, receiptText } from '../ingest/receipt-text.ts'
import type { Receipt } from '../ingest/receipt.ts'
import { combineReceipts, notBegun } from '../ingest/receipt.ts'
import { RejectsFile } from '../ingest/rejects-file.ts'
import { serverSink } from '../ingest/server-sink.ts'
import type { Sink } from '../ingest/sink.ts'
import { judgingSink, openViewTable, storeSink } from '../ingest/store-sink.ts'
import { viewLayout } from '../row/view-layout.ts'
import { openEmbeddedStore } from '../store/embedded/embedded-store.ts'
import { nodeDisk } from '../store/embedded/node-disk.ts'
import { isStore } from '../store/embedded/open-store.ts'
import { openDynamoWriter } from './dynamo-writing.ts'
import { openedData } from './opened-data.ts'
import { viewNamed } from './view-named.ts'

const DONE = 0
const FAILED = 1

/** A server that stays away is told of this often. */
const RETRY_TOLD_MS = 10_000

/** One view's rows, and where they come from. */
type Job = {
  readonly view: FeatureView
  readonly path: string
  readonly format: IngestBatchCommand['format']
}

/**
 * Resolves with the exit code: 1 for a run that was stopped before its end. Rejects where something
 * failed; what was done till then is told all the same.
 */
export async function runIngestBatch(command: IngestBatchCommand, io: Io): Promise<number> {
  const catalog = await openCatalog(command.catalogPath)
  const jobs = command.view === '' ? declaredJobs(catalog) : [namedJob(catalog, command)]
  const stop = stopOnSignal(io)
  const receipts: Receipt[] = []
  try {
    await withSinks(catalog, command, io, stop.signal, (sinkOf) =>
      runJobs(jobs, command, io, sinkOf, stop.signal, receipts),
    )
    return receipts.some(({ stopped }) => stopped !== '') ? FAILED : DONE
  } finally {
    stop.release()
    if (receipts.length > 0) tell(receipts, command, io)
  }
}

async function runJobs(
  jobs: readonly Job[],
  command: IngestBatchCommand,
  io: Io,
  sinkOf: (view: FeatureView) => Promise<Sink>,
  signal: AbortSignal,
  receipts: Receipt[],
): Promise<void> {
  for (const job of jobs) {
    let cutOff: Receipt | undefined
    const onCutOff = (receipt: Receipt): void => void (cutOff = receipt)
    try {
      const receipt = await runJob(job, command, io, sinkOf, signal, onCutOff)
      receipts.push(receipt)
      if (receipt.stopped !== '') break
    } catch (thrown) {
      const { view, path: source } = job
      const facts = { view: view.name, source, dryRun: command.dryRun, stopped: reasonOf(thrown) }
      receipts.push(cutOff ?? notBegun(facts))
      throw thrown
    }
  }
}

async function runJob(
  { view, path, format }: Job,
  command: IngestBatchCommand,
  io: Io,
  sinkOf: (view: FeatureView) => Promise<Sink>,
  signal: AbortSignal,
  onCutOff: (receipt: Receipt) => void,
): Promise<Receipt> {
  const source = await openSource(path, format)
  const rejects = new RejectsFile(command.rejectsPath || `${view.name}.rejects.ndjson`)
  const line = progressLine(view.name, io.err, io.errIsTerminal)
  try {
    return await runBatch({
      view,
      layout: viewLayout(view),
      source,
      sink: await sinkOf(view),
      dryRun: command.dryRun,
      rejects,
      rejectsMax: command.rejectsMax,
      futureMarginUs: command.futureMarginUs,
      nowUs: () => Date.now() * 1000,
      onProgress: command.progress ? line.show : () => undefined,
      onCutOff,
      signal,
    })
  } finally {
    line.clear()
    rejects.close()
  }
}

function tell(receipts: readonly Receipt[], command: IngestBatchCommand, io: Io): void {
  const [only] = receipts
  const whole = receipts.length === 1 && only !== undefined ? only : combineReceipts(receipts)
  if (command.json) {
    const parts = receipts.length > 1 ? { receipts: receipts.map(receiptJson) } : {}
    io.out(`${JSON.stringify({ ...receiptJson(whole), ...parts })}\n`)
    return
  }
  for (const receipt of receipts) io.out(receiptText(receipt))
  if (receipts.length > 1) io.out(receiptText(whole))
}

/** Opens where the rows go, and closes it whatever happens. */
function withSinks<T>(
  catalog: Catalog,
  command: IngestBatchCommand,
  io: Io,
  signal: AbortSignal,
  use: (sinkOf: (view: FeatureView) => Promise<Sink>) => Promise<T>,
): Promise<T> {
  if (command.server !== '') {
    return use(async (view) => serverSinkOf(command, io, signal, view))
  }
  if (command.dataDir === '') return withDynamo(catalog, command, use)
  return command.dryRun ? withJudges(command.dataDir, use) : withStore(command, use)
}

function serverSinkOf(
  command: IngestBatchCommand,
  io: Io,
  signal: AbortSignal,
  view: FeatureView,
): Sink {
  const { server, token, dryRun } = command
  let toldMs = -Infinity
  const onRetry = (why: string): void => {
    if (performance.now() - toldMs < RETRY_TOLD_MS) return
    toldMs = performance.now()
    io.err(`salver: ${server}: ${why}; trying again\n`)
  }
  const sink = serverSink({ server, token, view, dryRun, onRetry, signal })
  return dryRun ? withRepeats(sink) : sink
}

async function withStore<T>(
  { dataDir, durability }: IngestBatchCommand,
  use: (sinkOf: (view: FeatureView) => Promise<Sink>) => Promise<T>,
): Promise<T> {
  const store = await openedData(dataDir, () => openEmbeddedStore({ dir: dataDir, durability }))
  try {
    return await use(async (view) => storeSink(store, await openViewTable(store, view)))
  } finally {
    await store.close()
  }
}

async function withDynamo<T>(
  catalog: Catalog,
  command: IngestBatchCommand,
  use: (sinkOf: (view: FeatureView) => Promise<Sink>) => Promise<T>,
): Promise<T> {
  const { refreshAfterUs, assumeEmpty, ledgerDir } = command
  const writer = await openDynamoWriter({ catalog, refreshAfterUs, assumeEmpty, ledgerDir })
  try {
    return await use(async (view) => {
      const handle = await openViewTable(writer, view)
      if (!command.dryRun) return storeSink(writer, handle)
      return withRepeats(judgingSink(writer, handle))
    })
  } finally {
    await writer.close()
  }
}

/** Reads only: a dry run makes no directory, no table and no row. */
async function withJudges<T>(
  dir: string,
  use: (sinkOf: (view: FeatureView) => Promise<Sink>) => Promise<T>,
): Promise<T> {
  const isThere = await openedData(dir, () => isStore(nodeDisk, resolve(dir)))
  if (!isThere) return use(async () => withRepeats(emptyJudge))
  const store = await openedData(dir, () =>
    openEmbeddedStore({ dir, durability: 'process', readOnly: true }),
  )
  try {
    return await use(async (view) => withRepeats(readerJudge(store, view)))
  } finally {
    await store.close()
  }
}

function namedJob(catalog: Catalog, { view: name, source, format }: IngestBatchCommand): Job {
  const view = viewNamed(catalog, name)
  if (source !== '') return { view, path: source, format }
  const job = declaredJob(catalog, view)
  if (job === undefined) {
    throw new Fault('usage', `view ${name} declares no source with a path`, {
      where: '--source',
      allowed: '--source PATH_OR_GLOB, or a source in its definition',
    })
  }
  return { ...job, format: format || job.format }
}

/** Views that are not kept online have no rows to be ingested. */
function declaredJobs(catalog: Catalog): Job[] {
  const jobs = catalog.views
    .filter((view) => view.online && !view.disabled)
    .map((view) => declaredJob(catalog, view))
    .filter((job) => job !== undefined)
  if (jobs.length > 0) return jobs
  throw new Fault('usage', 'no view declares a source with a path', {
    where: catalog.origin,
    allowed: '--view NAME --source PATH_OR_GLOB, or a source in a view’s definition',
  })
}

function declaredJob(catalog: Catalog, view: FeatureView): Job | undefined {
  const source = view.batchSource
  if (source === undefined || source.path === '') return undefined
  const isElsewhere = /^[a-z][a-z0-9+]+:\/\//i.test(source.path)
  const path = isElsewhere ? source.path : resolve(catalog.folder, source.path)
  return { view, path, format: source.format }
}

/** The first signal ends the run in order, with a receipt; the second at once. */
function stopOnSignal(io: Io): { readonly signal: AbortSignal; readonly release: () => void } {
  const controller = new AbortController()
  const stop = (): void => {
    io.err('salver: stopping: rows on their way are being finished; once more ends at once\n')
    controller.abort()
    release()
  }
  const release = (): void => {
    process.off('SIGINT', stop)
    process.off('SIGTERM', stop)
  }
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
  return { signal: controller.signal, release }
}
