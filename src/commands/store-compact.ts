/** `salver store compact`: rewrites what is live and gives the rest of the disk back. */
import type { StoreCommand } from '../cli/command.ts'
import type { Io } from '../cli/io.ts'
import type { StoreStats } from '../store/store.ts'
import { counted } from './counted.ts'
import { withStore } from './open-data.ts'
import { statsToJson } from './store-stats.ts'

export function runStoreCompact({ dataDir, json }: StoreCommand, io: Io): Promise<number> {
  return withStore(dataDir, 'write', async (store) => {
    const before = store.stats()
    await store.compact()
    const after = store.stats()
    const told = { before: statsToJson(before), after: statsToJson(after) }
    io.out(json ? `${JSON.stringify(told)}\n` : compactedText(before, after))
    return 0
  })
}

function compactedText(before: StoreStats, after: StoreStats): string {
  const size = (stats: StoreStats) =>
    `${counted(stats.diskBytes, 'byte')} in ${counted(stats.segments, 'segment')}`
  return `compacted from ${size(before)} to ${size(after)}\n`
}
