/** Entry of the writer thread: opens the store, and tells the thread that started it how that went. */
import { Fault } from '../base/fault.ts'
import { openedData } from '../commands/opened-data.ts'
import type { EmbeddedSpec } from '../commands/store-thread.ts'
import { openEmbeddedWriter } from '../store/embedded/embedded-store.ts'
import type { SharedIndex } from '../store/embedded/shared-index.ts'
import type { OpenWriter, WriterOpened } from './messages.ts'
import { faultToMessage } from './messages.ts'
import { lowerPriority } from './lower-priority.ts'
import { WriterSide } from './writer-side.ts'

declare const self: Worker

self.onmessage = async ({ data }: { readonly data: OpenWriter<EmbeddedSpec> }) => {
  self.onmessage = null
  self.postMessage(await open(data))
}

async function open(asked: OpenWriter<EmbeddedSpec>): Promise<WriterOpened<SharedIndex>> {
  const notes = lowerPriority()
  try {
    const { dataDir: dir, durability } = asked
    const { writer, state } = await openedData(dir, () => openEmbeddedWriter({ dir, durability }))
    notes.push(...tailNotes(state.counters.tailBytesDropped))
    const side = await WriterSide.open({ ...asked, writer })
    return { kind: 'opened', starts: asked.ports.map((port) => side.serve(port)), notes }
  } catch (thrown) {
    if (thrown instanceof Fault) return { kind: 'fault', fault: faultToMessage(thrown) }
    throw thrown // ends this thread, and with it the process
  }
}

function tailNotes(bytes: number): string[] {
  if (bytes === 0) return []
  return [`dropped ${bytes} bytes of an unfinished write, which nobody was told had been made`]
}
