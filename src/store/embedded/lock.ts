/**
 * One process at a time: `flock` on the LOCK file, which the kernel gives up with the process. Its text
 * names the holder, for people (a pid file alone fails in containers, where every holder is pid 1).
 */
import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs'
import { hostname } from 'node:os'
import { dlopen } from 'bun:ffi'
import { Fault } from '../../base/fault.ts'
import type { Lock, LockKind } from './disk.ts'
import { isNoRoom } from './disk.ts'

/** flock(2) is not in node:fs. Numbers of the operations: sys/file.h. */
const LOCK_SHARED = 1
const LOCK_EXCLUSIVE = 2
const LOCK_NO_WAIT = 4

const LIBRARIES: readonly string[] = [
  'libc.so.6',
  `libc.musl-${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}.so.1`,
  'libSystem.B.dylib',
]

/** Many may read, or one may write. */
export function lockDirectory(directory: string, kind: LockKind): Lock {
  const path = `${directory}/LOCK`
  const descriptor = openSync(path, kind === 'write' ? 'a+' : 'r')
  const operation = kind === 'write' ? LOCK_EXCLUSIVE : LOCK_SHARED
  if (flock()(descriptor, operation | LOCK_NO_WAIT) !== 0) {
    closeSync(descriptor)
    throw new Fault('store_locked', `the store is in use by ${holder(path)}`, {
      where: directory,
      allowed: 'one process at a time; go through the running server with --server',
    })
  }
  if (kind === 'write') {
    ftruncateSync(descriptor, 0)
    writeName(descriptor, `pid ${process.pid} on ${hostname()} since ${new Date().toISOString()}\n`)
  }
  return { release: () => release(descriptor, kind) }
}

/** The name is for people: where the disk has no room for it, the lock holds without. */
function writeName(descriptor: number, name: string): void {
  try {
    writeSync(descriptor, name)
  } catch (error) {
    if (!isNoRoom(error)) throw error
  }
}

/** A holder that ends well takes its name away. */
function release(descriptor: number, kind: LockKind): void {
  if (kind === 'write') ftruncateSync(descriptor, 0)
  closeSync(descriptor)
}

/** What the LOCK file says of its holder; a reader leaves no name. */
function holder(path: string): string {
  const text = readFileSync(path, 'utf8').trim()
  return text === '' ? 'another process' : text
}

function flock(): (descriptor: number, operation: number) => number {
  const failures: unknown[] = []
  for (const library of LIBRARIES) {
    try {
      const { symbols } = dlopen(library, { flock: { args: ['i32', 'i32'], returns: 'i32' } })
      return symbols.flock
    } catch (error) {
      failures.push(error)
    }
  }
  throw new Fault('unavailable', 'no C library to lock the store with', { cause: failures })
}
