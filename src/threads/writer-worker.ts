/** Entry of the writer thread: opens the store, and tells the thread that started it how that went. */
import { setPriority } from 'node:os'
import { Fault } from '../base/fault.ts'
import { openedData } from '../commands/opened-data.ts'
import { openEmbeddedWriter } from '../store/embedded/embedded-store.ts'
import type { OpenWriter, WriterOpened } from './messages.ts'
import { faultToMessage } from './messages.ts'
import { WriterSide } from './writer-side.ts'

declare const self: Worker

/** Reads go first where both want the processor; 0 here means this thread alone. */
const NICENESS = 10

self.onmessage = async ({ data }: { readonly data: OpenWriter }) => {
  self.onmessage = null
  self.postMessage(await open(data))
}

async function open(asked: OpenWriter): Promise<WriterOpened> {
  const notes = lowerPriority()
  try {
    const { dataDir: dir, durability } = asked
    const { writer, state } = await openedData(dir, () => openEmbeddedWriter({ dir, durability }))
    notes.push(...tailNotes(state.counters.tailBytesDropped))
    const side = await WriterSide.open({ ...asked, writer })
    return { kind: 'opened', indexes: asked.ports.map((port) => side.serve(port)), notes }
  } catch (thrown) {
    if (thrown instanceof Fault) return { kind: 'fault', fault: faultToMessage(thrown) }
    throw thrown // ends this thread, and with it the process
  }
}

function tailNotes(bytes: number): string[] {
  if (bytes === 0) return []
  return [`dropped ${bytes} bytes of an unfinished write, which nobody was told had been made`]
}

/** Refused by some sandboxes: then the thread runs at the priority of all others. */
function lowerPriority(): string[] {
  try {
    setPriority(0, NICENESS)
    return []
  } catch (cause) {
    return [`the writer thread keeps its priority: ${String(cause)}`]
  }
}
