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
    ...readOnlyWrites,
    reader: store,
    notes: [],
    remote: undefined,
    stats: async () => store.stats(),
    close: () => store.close(),
  }
}

/** The writing side of a server that has none. */
export const readOnlyWrites = {
  died: new Promise<Fault>(() => {}), // there is no thread that could
  prepare: async (): Promise<void> => {},
  adopt: async (): Promise<void> => {},
  write: async (): Promise<never> => {
    throw new Fault('read_only', 'this server was started with --read-only')
  },
}
