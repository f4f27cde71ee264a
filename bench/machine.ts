/** The machine that a figure was measured on: what it is, how it jitters, and which core does what. */
import os from 'node:os'
import { readFileSync } from 'node:fs'
import { Histogram } from './histogram.ts'

const HAS_TASKSET = Bun.which('taskset') !== null && os.cpus().length >= 2

/** A command line bound to the core of its role. Unbound where there is one core or no taskset. */
export function pinned(role: 'server' | 'generator', command: readonly string[]): string[] {
  if (!HAS_TASKSET) return [...command]
  return ['taskset', '-c', role === 'server' ? '0' : '1', ...command]
}

/** CPU microseconds (user + system) that a process and its threads have used. */
export function cpuUs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * (1e6 / CLOCK_TICKS)
}

/** The same of a process and all that it started: a server may do its work in a child. */
export function treeCpuUs(pid: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
  const pids = children === '' ? [] : children.split(' ').map(Number)
  return pids.reduce((sum, child) => sum + treeCpuUs(child), cpuUs(pid))
}

/** USER_HZ is 100 on every Linux that Bun runs on. */
const CLOCK_TICKS = 100

/** Resident bytes of a process that are not pages of files (the page cache can take those back). */
export function anonymousBytes(pid: number): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  const kilobytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(rollup)?.[1] ?? 0)
  return kilobytes('Anonymous') * 1024 + kilobytes('ShmemPmdMapped') * 1024
}

export type Machine = {
  readonly cpu: string
  readonly cores: number
  readonly memoryGiB: number
  readonly kernel: string
  readonly bun: string
  /** Pauses seen by a loop that only reads the clock for half a second: what no server can beat. */
  readonly jitterP99Us: number
  readonly jitterMaxUs: number
}

export function describeMachine(): Machine {
  const gaps = new Histogram()
  const end = performance.now() + 500
  let last = Bun.nanoseconds()
  while (performance.now() < end) {
    const now = Bun.nanoseconds()
    gaps.record((now - last) / 1000)
    last = now
  }
  const { p99Us, maxUs } = gaps.percentiles()
  return {
    cpu: os.cpus()[0]?.model ?? 'unknown',
    cores: os.cpus().length,
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    kernel: os.release(),
    bun: Bun.version,
    jitterP99Us: p99Us,
    jitterMaxUs: maxUs,
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right)
  return sorted[sorted.length >> 1] ?? Number.NaN
}
