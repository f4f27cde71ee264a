/** The store of a read-only server: nothing on the disk changes, so it needs no thread of its own. */
import { Fault } from '../base/fault.ts'
import { openEmbeddedStore } from '../store/embedded/embedded-store.ts'
import { openedData } from './opened-data.ts'
import type { StoreThread } from './store-thread.ts'

/** Other read-only servers may have it open too, but nobody who writes. */
export async function openReadOnlyStore(dataDir: string): Promise<StoreThread> {
  const store = await openedData(dataDir, () =>
    openEmbeddedStore({ dir: dataDir, durability: 'sync', readOnly: true }),
  )
  return {
    reader: store,
    notes: [],
    died: new Promise(() => {}), // there is no thread that could
    stats: async () => store.stats(),
    prepare: async () => {},
    adopt: async () => {},
    close: () => store.close(),
    write: async () => {
      throw new Fault('read_only', 'this server was started with --read-only')
    },
  }
}
