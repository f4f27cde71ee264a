/** Where real parts are kept between runs, and one process at a time that fetches them. */
import { closeSync, existsSync, mkdirSync, openSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { dlopen } from 'bun:ffi'

/** Numbers of flock(2): sys/file.h. */
const LOCK_EXCLUSIVE = 2
const LOCK_NO_WAIT = 4
const LOCK_POLL_MS = 100

/** Lines of a failed program that are told: its reason stands at its end. */
const LINES_TOLD = 25

/** Why a part can't be had on this machine. Anything else that is thrown is a fault of ours. */
export class PartMissing extends Error {}

export function partsFolder(): string {
  const folder = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'salver-parts')
  mkdirSync(folder, { recursive: true })
  return folder
}

/**
 * The folder `name` of the parts, made by `fill` if it is not there. It appears whole or not at all,
 * and several processes that ask at the same time make it once. A name stands for one content.
 */
export async function partFolder(
  name: string,
  fill: (draft: string) => Promise<void>,
): Promise<string> {
  const folder = join(partsFolder(), name)
  if (existsSync(folder)) return folder
  // One lock for all: Maven does not share its repository between processes.
  const lock = await takeLock(join(partsFolder(), 'LOCK'))
  try {
    if (existsSync(folder)) return folder
    const draft = `${folder}.draft`
    rmSync(draft, { recursive: true, force: true })
    mkdirSync(draft, { recursive: true })
    await fill(draft)
    renameSync(draft, folder)
    return folder
  } finally {
    closeSync(lock)
  }
}

/** The kernel gives the lock up with the descriptor, however its holder ends. */
async function takeLock(path: string): Promise<number> {
  const { symbols } = dlopen(process.platform === 'darwin' ? 'libSystem.B.dylib' : 'libc.so.6', {
    flock: { args: ['i32', 'i32'], returns: 'i32' },
  })
  const descriptor = openSync(path, 'a')
  while (symbols.flock(descriptor, LOCK_EXCLUSIVE | LOCK_NO_WAIT) !== 0) {
    await Bun.sleep(LOCK_POLL_MS)
  }
  return descriptor
}

/** Path of a program, or PartMissing. */
export function programPath(name: string): string {
  const path = Bun.which(name)
  if (path === null) throw new PartMissing(`${name} is not on the PATH`)
  return path
}

/** What a program printed. PartMissing with its last lines if it fails. */
export async function runProgram(
  command: readonly string[],
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<string> {
  const child = Bun.spawn([...command], { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe', env })
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ])
  if (code === 0) return stdout
  const lines = `${stdout}\n${stderr}`.trim().split('\n').slice(-LINES_TOLD)
  throw new PartMissing(`${command[0]} ended with ${code}:\n${lines.join('\n')}`)
}
