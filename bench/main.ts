/**
 * bun run bench [smoke | all | NAME …] [--json FILE]
 * `smoke` runs every workload at a size that takes a second; `all` (the default) at full size.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import { join } from 'node:path'
import { describeMachine, type Machine } from './machine.ts'
import { SEED } from './float-store.ts'
import type { Figure, Size } from './workload.ts'
import { WORKLOADS } from './workloads.ts'

export type Report = {
  readonly machine: Machine
  readonly seed: number
  readonly size: Size
  readonly workloads: Readonly<Record<string, readonly Figure[]>>
}

export async function runBench(names: readonly string[], size: Size): Promise<Report> {
  const workDir = mkdtempSync(join(os.tmpdir(), 'salver-bench-'))
  const machine = describeMachine()
  const workloads: Record<string, readonly Figure[]> = {}
  try {
    for (const workload of WORKLOADS) {
      if (names.length > 0 && !names.includes(workload.name)) continue
      console.error(`${workload.name}: ${workload.about}`)
      workloads[workload.name] = await workload.run(size, workDir)
    }
  } finally {
    rmSync(workDir, { recursive: true, force: true })
  }
  return { machine, seed: SEED, size, workloads }
}

export function reportToMarkdown(report: Report): string {
  const { machine } = report
  const lines = [
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, Linux ${machine.kernel}, Bun ${machine.bun}, seed ${report.seed}.`,
    `Jitter of the machine itself in half a second: p99 ${round(machine.jitterP99Us)} us, longest ${round(machine.jitterMaxUs)} us.`,
  ]
  for (const [name, figures] of Object.entries(report.workloads)) {
    lines.push(
      '',
      `### ${name}`,
      '',
      '| | median | lowest | highest | runs |',
      '| --- | ---: | ---: | ---: | ---: |',
    )
    for (const one of figures) {
      const values = [one.median, one.lowest, one.highest].map(round).join(' | ')
      lines.push(`| ${one.name}, ${one.unit} | ${values} | ${one.repeats} |`)
    }
  }
  return lines.join('\n')
}

function round(value: number): string {
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en-US')
  return `${Number(value.toPrecision(3))}`
}

if (import.meta.main) {
  const args = process.argv.slice(2)
  const jsonAt = args.indexOf('--json')
  const jsonPath = jsonAt < 0 ? undefined : args.splice(jsonAt, 2)[1]
  const size: Size = args.includes('smoke') ? 'smoke' : 'full'
  const names = args.filter((name) => name !== 'smoke' && name !== 'all')
  const unknown = names.filter((name) => !WORKLOADS.some((workload) => workload.name === name))
  if (unknown.length > 0) {
    console.error(
      `no workload ${unknown.join(', ')}; there are: ${WORKLOADS.map((one) => one.name).join(', ')}`,
    )
    process.exit(2)
  }
  const report = await runBench(names, size)
  if (jsonPath !== undefined) await Bun.write(jsonPath, JSON.stringify(report, undefined, 2))
  console.log(reportToMarkdown(report))
}
