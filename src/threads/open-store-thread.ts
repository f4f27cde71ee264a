/** Starts the writer thread and connects this thread to it. */
import { Fault } from '../base/fault.ts'
import type { StoreSpec, StoreThread } from '../commands/store-thread.ts'
import { nodeDisk } from '../store/embedded/node-disk.ts'
import type { OpenWriter, WriterOpened } from './messages.ts'
import { faultFromMessage } from './messages.ts'
import { untilDead } from './until-dead.ts'
import { workerEntry } from './worker-entry.ts'
import { WriterLink } from './writer-link.ts'

/** Rejects with the Fault that the store was not opened for, or with how the thread ended. */
export async function openStoreThread(spec: StoreSpec): Promise<StoreThread> {
  const worker = new Worker(workerEntry('writer-worker'))
  const died = untilDead(worker, 'the writer thread')
  const { port1, port2 } = new MessageChannel()
  const opened = await Promise.race([openWriter(worker, spec, port2), died])
  if (opened instanceof Fault) {
    worker.terminate()
    throw opened
  }
  const link = new WriterLink(port1, opened.indexes[0]!, nodeDisk)
  void died.then((fault) => link.fail(fault))
  return {
    reader: link.reader,
    notes: opened.notes,
    died,
    write: (call) => link.write(call),
    stats: () => link.stats(),
    prepare: (prepared) => link.prepare(prepared),
    adopt: (generation) => link.adopt(generation),
    close: async () => {
      await link.close()
      worker.terminate()
    },
  }
}

type Opened = Extract<WriterOpened, { kind: 'opened' }>

function openWriter(worker: Worker, spec: StoreSpec, port: MessagePort): Promise<Opened | Fault> {
  const { promise, resolve } = Promise.withResolvers<Opened | Fault>()
  worker.onmessage = ({ data }: { readonly data: WriterOpened }) =>
    resolve(data.kind === 'opened' ? data : faultFromMessage(data.fault))
  const message: OpenWriter = { ...spec, ports: [port] }
  worker.postMessage(message, [port])
  return promise
}
