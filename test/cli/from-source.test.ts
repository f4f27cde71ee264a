import { afterAll, expect, test } from 'bun:test'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { exampleFolder, runSalver } from './run-salver.ts'

const ROOT = join(import.meta.dir, '../..')
const folder = exampleFolder()
afterAll(() => rmSync(folder, { recursive: true }))

const ARGV = [
  ...[
    'ingest',
    'batch',
    '--catalog',
    join(folder, 'features.yaml'),
    '--data',
    join(folder, 'data'),
  ],
  ...['--view', 'driver_stats', '--source', join(folder, 'drivers.ndjson'), '--dry-run', '--json'],
]

/** All but what no two runs share. */
function receiptOf(out: string) {
  const { seconds, rows_per_second: pace, ...rest } = JSON.parse(out)
  expect(seconds).toBeObject()
  expect(pace).toBeNumber()
  return rest
}

test('bun run ingest does what the executable does, and prints its receipt alone', async () => {
  const child = Bun.spawn([process.execPath, 'run', ...ARGV], {
    cwd: ROOT,
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const out = await new Response(child.stdout).text()
  const err = await new Response(child.stderr).text()
  expect({ code: await child.exited, err }).toEqual({ code: 0, err: '' })
  const ran = await runSalver(ARGV, { cwd: folder })
  expect(receiptOf(out)).toEqual(receiptOf(ran.out))
  expect(receiptOf(out)).toMatchObject({ read: 3, new: 3, dry_run: true })
})
