/** Entry of the thread that writes to DynamoDB: it parses, judges and puts, beside the reads. */
import { Fault } from '../base/fault.ts'
import { openDynamoWriter } from '../commands/dynamo-writing.ts'
import type { DynamoSpec } from '../commands/store-thread.ts'
import { FollowedWriter } from './followed-writer.ts'
import { lowerPriority } from './lower-priority.ts'
import type { OpenWriter, WriterOpened } from './messages.ts'
import { faultToMessage } from './messages.ts'
import { receivedCatalog } from './received-catalog.ts'
import { WriterSide } from './writer-side.ts'

declare const self: Worker

self.onmessage = async ({ data }: { readonly data: OpenWriter<DynamoSpec> }) => {
  self.onmessage = null
  self.postMessage(await open(data))
}

async function open(asked: OpenWriter<DynamoSpec>): Promise<WriterOpened<null>> {
  const notes = lowerPriority()
  try {
    const writer = await openDynamoWriter({
      catalog: receivedCatalog(asked.catalog),
      refreshAfterUs: asked.refreshAfterUs,
      assumeEmpty: false,
      ledgerDir: '',
    })
    const followed = new FollowedWriter(writer, () => writer.counters, asked.cacheBytesMax > 0)
    const side = await WriterSide.open({ ...asked, writer: followed })
    return { kind: 'opened', starts: asked.ports.map((port) => side.serve(port)), notes }
  } catch (thrown) {
    if (thrown instanceof Fault) return { kind: 'fault', fault: faultToMessage(thrown) }
    throw thrown // ends this thread, and with it the process
  }
}
