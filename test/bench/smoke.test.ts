import { expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import { join } from 'node:path'
import { Histogram } from '../../bench/histogram.ts'
import { reportToMarkdown, runBench } from '../../bench/main.ts'
import { WORKLOADS } from '../../bench/workloads.ts'
import { buildExecutable } from '../../scripts/build.ts'

/** Starting processes and loads of a few tenths of a second each; Feast is fetched the first time. */
const SMOKE_MS_MAX = 300_000

test.each(WORKLOADS.map((workload) => workload.name))(
  'the workload %s runs at its smoke size and every figure is a number',
  async (name) => {
    await buildExecutable()
    const report = await runBench([name], 'smoke')
    const figures = report.workloads[name] ?? []
    expect(figures.length).toBeGreaterThan(3)
    for (const figure of figures) {
      expect([figure.name, Number.isFinite(figure.median)]).toEqual([figure.name, true])
    }
    expect(reportToMarkdown(report)).toContain(`### ${name}`)
  },
  SMOKE_MS_MAX,
)

test('an unknown workload is named with those that there are, and is a usage error', async () => {
  const entry = new URL('../../bench/main.ts', import.meta.url).pathname
  const child = Bun.spawn([process.execPath, entry, 'nonsense'], { stderr: 'pipe' })
  expect(await child.exited).toBe(2)
  expect(await new Response(child.stderr).text()).toContain('reply')
})

test('percentiles are values that were measured', () => {
  const histogram = new Histogram()
  for (let value = 1; value <= 100_000; value++) histogram.record(value)
  const { p50Us, p95Us, p99Us, maxUs, count } = histogram.percentiles()
  expect([p50Us, p95Us, p99Us, maxUs, count]).toEqual([50_001, 95_001, 99_001, 100_000, 100_000])
})

test('a report that was asked for as JSON is written whole', async () => {
  const folder = mkdtempSync(join(os.tmpdir(), 'salver-bench-test-'))
  try {
    const path = join(folder, 'report.json')
    const entry = new URL('../../bench/main.ts', import.meta.url).pathname
    const child = Bun.spawn([process.execPath, entry, 'smoke', 'profile', '--json', path], {
      stdout: 'ignore',
      stderr: 'ignore',
    })
    expect(await child.exited).toBe(0)
    const report: unknown = await Bun.file(path).json()
    expect(report).toMatchObject({ size: 'smoke', workloads: { profile: expect.any(Array) } })
  } finally {
    rmSync(folder, { recursive: true })
  }
})
