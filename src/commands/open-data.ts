/** Data directories as commands open them: what is asked about must be there, and is never made. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Fault } from '../base/fault.ts'
import type { EmbeddedStore } from '../store/embedded/embedded-store.ts'
import { openEmbeddedStore } from '../store/embedded/embedded-store.ts'
import { openedData } from './opened-data.ts'

export type DataUse = 'read' | 'write'

/** The file that makes a directory a store (log-format.md), whatever else of it is damaged. */
const IDENTITY_FILE = 'STORE'

export function requireStore(dir: string): void {
  if (existsSync(join(dir, IDENTITY_FILE))) return
  throw new Fault('usage', 'there is no store here', {
    where: dir,
    allowed: 'a directory that salver serve or salver ingest batch has written',
  })
}

/** Opens the store, hands it to `use`, and closes it whatever happens. */
export async function withStore<T>(
  dir: string,
  kind: DataUse,
  use: (store: EmbeddedStore) => Promise<T>,
): Promise<T> {
  requireStore(dir)
  const store = await openedData(dir, () =>
    openEmbeddedStore({ dir, durability: 'sync', readOnly: kind === 'read' }),
  )
  try {
    return await use(store)
  } finally {
    await store.close()
  }
}
