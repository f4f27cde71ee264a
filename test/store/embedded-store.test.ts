import { openEmbeddedStore } from '../../src/store/embedded/embedded-store.ts'
import { newDirectory, removeDirectory } from './data-directory.ts'
import { runStoreSuite } from './store-suite.ts'

for (const durability of ['sync', 'process'] as const) {
  runStoreSuite({
    name: `embedded (${durability})`,
    open: async () => {
      const dir = newDirectory()
      const store = await openEmbeddedStore({ dir, durability })
      return { store, remove: () => removeDirectory(dir) }
    },
    gaps: {},
  })
}
