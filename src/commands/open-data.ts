/** Data directories as commands open them: what is asked about must be there, and is never made. */
import { Fault } from '../base/fault.ts'
import type { EmbeddedStore } from '../store/embedded/embedded-store.ts'
import { openEmbeddedStore } from '../store/embedded/embedded-store.ts'
import { nodeDisk } from '../store/embedded/node-disk.ts'
import { isStore } from '../store/embedded/open-store.ts'

export type DataUse = 'read' | 'write'

/** Opens the store, hands it to `use`, and closes it whatever happens. */
export async function withStore<T>(
  dir: string,
  kind: DataUse,
  use: (store: EmbeddedStore) => Promise<T>,
): Promise<T> {
  if (!isStore(nodeDisk, dir)) {
    throw new Fault('usage', 'there is no store here', {
      where: dir,
      allowed: 'a directory that salver serve or salver ingest batch has written',
    })
  }
  const store = await openEmbeddedStore({ dir, durability: 'sync', readOnly: kind === 'read' })
  try {
    return await use(store)
  } finally {
    await store.close()
  }
}
