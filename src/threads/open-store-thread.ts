/** Starts the thread that writes and connects this thread to it. */
import { Fault } from '../base/fault.ts'
import { openDynamoReading } from '../commands/dynamo-reading.ts'
import { readOnlyWrites } from '../commands/read-only-store.ts'
import type { DynamoSpec, EmbeddedSpec, StoreSpec, StoreThread } from '../commands/store-thread.ts'
import { EmbeddedReader } from '../store/embedded/embedded-reader.ts'
import { nodeDisk } from '../store/embedded/node-disk.ts'
import type { SharedIndex } from '../store/embedded/shared-index.ts'
import { emptyStats } from '../store/empty-stats.ts'
import type { StoreStats } from '../store/store.ts'
import type { RowsWritten } from './followed-writer.ts'
import type { OpenWriter, WriterOpened } from './messages.ts'
import { faultFromMessage } from './messages.ts'
import { untilDead } from './until-dead.ts'
import { workerEntry } from './worker-entry.ts'
import { WriterLink } from './writer-link.ts'

/** Rejects with the Fault that the store was not opened for, or with how the thread ended. */
export const openStoreThread = (spec: StoreSpec): Promise<StoreThread> =>
  'dataDir' in spec ? openEmbedded(spec) : openDynamo(spec)

async function openEmbedded(spec: EmbeddedSpec): Promise<StoreThread> {
  const thread = await startWriter<EmbeddedSpec, SharedIndex>(workerEntry('writer-worker'), spec)
  const reader = new EmbeddedReader(thread.start, nodeDisk)
  const link = new WriterLink(thread.port, (update: Parameters<typeof reader.apply>[0]) =>
    reader.apply(update),
  )
  return { ...connected(link, thread), reader, remote: undefined }
}

async function openDynamo(spec: DynamoSpec): Promise<StoreThread> {
  const reading = await openDynamoReading(spec)
  const { reader } = reading
  const remote = reading
  if (spec.readOnly) {
    const stats = async (): Promise<StoreStats> => emptyStats
    return { ...readOnlyWrites, reader, notes: [], remote, stats, close: () => reading.close() }
  }
  const thread = await startWriter<DynamoSpec, null>(workerEntry('dynamo-writer-worker'), spec)
  const link = new WriterLink(
    thread.port,
    ({ number, spec: table, batch, outcomes }: RowsWritten) => {
      reader.follow(table, batch, outcomes)
      return number
    },
  )
  const writes = connected(link, thread)
  const close = async (): Promise<void> => {
    await writes.close()
    await reading.close()
  }
  return { ...writes, reader, remote, close }
}

type Started<Start> = {
  readonly worker: Worker
  readonly port: MessagePort
  readonly start: Start
  readonly notes: readonly string[]
  readonly died: Promise<Fault>
}

async function startWriter<Spec, Start>(entry: string | URL, spec: Spec): Promise<Started<Start>> {
  const worker = new Worker(entry)
  const died = untilDead(worker, 'the writer thread')
  const { port1, port2 } = new MessageChannel()
  const opened = await Promise.race([openWriter<Spec, Start>(worker, spec, port2), died])
  if (opened instanceof Fault) {
    worker.terminate()
    throw opened
  }
  return { worker, port: port1, start: opened.starts[0]!, notes: opened.notes, died }
}

function connected<Update, Start>(link: WriterLink<Update>, thread: Started<Start>) {
  const { worker, notes, died } = thread
  void died.then((fault) => link.fail(fault))
  return {
    notes,
    died,
    write: link.write.bind(link),
    stats: link.stats.bind(link),
    prepare: link.prepare.bind(link),
    adopt: link.adopt.bind(link),
    close: async (): Promise<void> => {
      await link.close()
      worker.terminate()
    },
  }
}

type Opened<Start> = Extract<WriterOpened<Start>, { kind: 'opened' }>

function openWriter<Spec, Start>(
  worker: Worker,
  spec: Spec,
  port: MessagePort,
): Promise<Opened<Start> | Fault> {
  const { promise, resolve } = Promise.withResolvers<Opened<Start> | Fault>()
  worker.onmessage = ({ data }: { readonly data: WriterOpened<Start> }) =>
    resolve(data.kind === 'opened' ? data : faultFromMessage(data.fault))
  const message: OpenWriter<Spec> = { ...spec, ports: [port] }
  worker.postMessage(message, [port])
  return promise
}
