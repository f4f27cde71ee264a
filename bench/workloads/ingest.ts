/** A Parquet file of rows x 30 Float32 into an embedded store: first load, unchanged, 3 % changed. */
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { parquetWriteFile } from 'hyparquet-writer'
import { SEED } from '../float-store.ts'
import { makeRandom } from '../random.ts'
import { salverCommand } from '../served.ts'
import { type Figure, figure, type Workload } from '../workload.ts'

const FEATURES = 30
const SIZES = {
  smoke: { rows: 3_000, repeats: 1 },
  full: { rows: 1_000_000, repeats: 5 },
} as const
const CHANGED_SHARE = 0.03
const TIME_MS = Date.UTC(2026, 7, 20, 10)
/** The later files are a quarter of an hour later, as a feature job's next run would be. */
const STEP_MS = 15 * 60 * 1000

export const ingest: Workload = {
  name: 'ingest',
  about: 'batch ingestion of rows x 30 Float32 from Parquet: first load, unchanged and 3 % changed',
  async run(size, workDir) {
    const { rows, repeats } = SIZES[size]
    const folder = join(workDir, 'ingest')
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true })
    const catalogPath = join(folder, 'features.yaml')
    await Bun.write(catalogPath, CATALOG)
    const first = join(folder, 'first.parquet')
    const changed = join(folder, 'changed.parquet')
    writeRows(first, rows, 0, TIME_MS)
    writeRows(changed, rows, CHANGED_SHARE, TIME_MS + STEP_MS)
    const runs: Record<string, Run[]> = { 'first load': [], unchanged: [], '3 % changed': [] }
    for (let repeat = 0; repeat < repeats; repeat++) {
      const dataDir = join(folder, `data-${repeat}`)
      runs['first load']!.push(await ingestFile(catalogPath, dataDir, first))
      runs['unchanged']!.push(await ingestFile(catalogPath, dataDir, first))
      runs['3 % changed']!.push(await ingestFile(catalogPath, dataDir, changed))
      rmSync(dataDir, { recursive: true })
    }
    return Object.entries(runs).flatMap(([name, all]) => describe(name, rows, all))
  },
}

const CATALOG = `project: bench
entities:
  - {name: document, join_key: document_id, value_type: Int64}
feature_views:
  - name: documents
    entities: [document]
    source: {path: first.parquet, timestamp_field: event_timestamp}
    features:
${Array.from({ length: FEATURES }, (_, index) => `      - {name: f${index}, type: Float32}`).join('\n')}
`

function writeRows(path: string, rows: number, changedShare: number, timeMs: number): void {
  const random = makeRandom(SEED)
  const choose = makeRandom(SEED + 2)
  const ids = new BigInt64Array(rows)
  const columns = Array.from({ length: FEATURES }, () => new Float32Array(rows))
  for (let row = 0; row < rows; row++) {
    ids[row] = BigInt(row)
    for (const column of columns) column[row] = random() * 100
    if (choose() < changedShare) columns[0]![row] = columns[0]![row]! + 1
  }
  const time = new Date(timeMs)
  parquetWriteFile({
    filename: path,
    columnData: [
      { name: 'document_id', data: ids, type: 'INT64' },
      { name: 'event_timestamp', data: new Array<Date>(rows).fill(time), type: 'TIMESTAMP' },
      ...columns.map((data, index) => ({ name: `f${index}`, data, type: 'FLOAT' as const })),
    ],
  })
}

type Run = { readonly seconds: number; readonly cpuSeconds: number; readonly written: number }

async function ingestFile(catalogPath: string, dataDir: string, source: string): Promise<Run> {
  const args = ['ingest', 'batch', '--catalog', catalogPath, '--data', dataDir]
  const started = performance.now()
  const child = Bun.spawn(
    salverCommand([...args, '--view', 'documents', '--source', source, '--json']),
    {
      stdout: 'pipe',
      stderr: 'pipe',
    },
  )
  const text = await new Response(child.stdout).text()
  if ((await child.exited) !== 0) throw new Error(await new Response(child.stderr).text())
  const usage = child.resourceUsage()
  const receipt = JSON.parse(text) as { new: number; changed: number } // the receipt's own keys
  return {
    seconds: (performance.now() - started) / 1000,
    cpuSeconds: Number(usage?.cpuTime.total ?? 0) / 1e6,
    written: receipt.new + receipt.changed,
  }
}

function describe(name: string, rows: number, runs: readonly Run[]): Figure[] {
  return [
    figure(
      `${name}: rows/s, whole command`,
      '1/s',
      runs.map((run) => rows / run.seconds),
    ),
    figure(
      `${name}: CPU a row`,
      'us',
      runs.map((run) => (run.cpuSeconds * 1e6) / rows),
    ),
    figure(
      `${name}: rows written`,
      'rows',
      runs.map((run) => run.written),
    ),
  ]
}
