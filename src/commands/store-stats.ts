/** `salver store stats`: what a data directory holds. */
import type { StoreCommand } from '../cli/command.ts'
import type { Io } from '../cli/io.ts'
import type { StoreStats } from '../store/store.ts'
import { counted, grouped } from './counted.ts'
import { withStore } from './open-data.ts'
import { tableLabel } from './table-label.ts'

export function runStoreStats({ dataDir, json }: StoreCommand, io: Io): Promise<number> {
  return withStore(dataDir, 'read', async (store) => {
    const stats = store.stats()
    io.out(json ? `${JSON.stringify(statsToJson(stats))}\n` : statsText(stats))
    return 0
  })
}

export function statsToJson(stats: StoreStats) {
  return {
    rows: stats.rows,
    tombstones: stats.tombstones,
    tables: stats.tables.map(({ table, name, keySignature, rows }) => ({
      table,
      name,
      key_signature: keySignature,
      rows,
    })),
    disk_bytes: stats.diskBytes,
    live_bytes: stats.liveBytes,
    segments: stats.segments,
    index_bytes: stats.indexBytes,
    last_sequence: stats.lastSequence,
    counters: stats.counters,
  }
}

function statsText(stats: StoreStats): string {
  const lines = [
    ['rows', grouped(stats.rows)],
    ['tombstones', grouped(stats.tombstones)],
    ['log', `${counted(stats.diskBytes, 'byte')} in ${counted(stats.segments, 'segment')}`],
    ['live', counted(stats.liveBytes, 'byte')],
    ['index', counted(stats.indexBytes, 'byte')],
    ['last sequence', grouped(stats.lastSequence)],
    ...stats.tables.map((table) => [
      'table',
      `${tableLabel(table)}: ${counted(table.rows, 'row')}`,
    ]),
  ]
  return lines.map(([name = '', value = '']) => `${name.padEnd(14)} ${value}\n`).join('')
}
