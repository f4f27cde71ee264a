/** What a row costs in memory and on disk, how long a store takes to open, and a process to answer. */
import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { makeFloatStore } from '../float-store.ts'
import { anonymousBytes } from '../machine.ts'
import { freePort, type ServedStore, serveStore } from '../served.ts'
import { openEmbeddedStore } from '../../src/store/embedded/embedded-store.ts'
import { type Figure, figure, type Workload } from '../workload.ts'

const SIZES = {
  smoke: { rows: 2_000, features: 30, repeats: 1 },
  full: { rows: 1_000_000, features: 30, repeats: 5 },
} as const

export const open: Workload = {
  name: 'open',
  about: 'memory and disk a row, time to open a store, start of the executable to its first answer',
  async run(size, workDir) {
    const { rows, features, repeats } = SIZES[size]
    const store = await makeFloatStore(join(workDir, 'open'), rows, features)
    const empty = await makeFloatStore(join(workDir, 'open-empty'), 1, features)
    const figures = await measureRows(store, rows)
    const clean: number[] = []
    const killed: number[] = []
    const starts: number[] = []
    const memory: number[] = []
    for (let repeat = 0; repeat < repeats; repeat++) {
      clean.push(await openOnce(store.dataDir))
      killed.push(await openWithoutSnapshot(store, join(workDir, 'open-killed')))
      const [startMs, bytes] = await startOnce(store)
      const [, emptyBytes] = await startOnce(empty)
      starts.push(startMs)
      memory.push((bytes - emptyBytes) / rows)
    }
    return [
      ...figures,
      figure('open after a clean stop', 'ms', clean),
      figure('open without snapshot, as after SIGKILL', 'ms', killed),
      figure('executable to first answer', 'ms', starts),
      figure('server memory a row beside the page cache', 'bytes', memory),
    ]
  },
}

async function measureRows({ dataDir }: ServedStore, rows: number): Promise<Figure[]> {
  const store = await openEmbeddedStore({ dir: dataDir, durability: 'sync' })
  const stats = store.stats()
  await store.close()
  return [
    figure('disk a row', 'bytes', [stats.diskBytes / rows]),
    figure('index a row', 'bytes', [stats.indexBytes / rows]),
  ]
}

async function openOnce(dataDir: string): Promise<number> {
  const started = performance.now()
  const store = await openEmbeddedStore({ dir: dataDir, durability: 'sync' })
  const took = performance.now() - started
  await store.close()
  return took
}

/** A copy of the store as a killed process leaves it: segments and tables, no index snapshot. */
async function openWithoutSnapshot({ dataDir }: ServedStore, copy: string): Promise<number> {
  rmSync(copy, { recursive: true, force: true })
  cpSync(dataDir, copy, { recursive: true })
  rmSync(join(copy, 'index.snap'), { force: true })
  const took = await openOnce(copy)
  rmSync(copy, { recursive: true })
  return took
}

async function startOnce(store: ServedStore): Promise<[startMs: number, memoryBytes: number]> {
  const port = freePort()
  const started = performance.now()
  const served = await serveStore(store, port)
  try {
    const answer = await fetch(`${served.url}/v1/features`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ feature_service: 'ranking', entities: { document_id: [0] } }),
    })
    if (!answer.ok) throw new Error(await answer.text())
    const took = performance.now() - started
    return [took, anonymousBytes(served.pid)]
  } finally {
    await served.stop()
  }
}
