/**
 * The file layer of the embedded store. Every file it touches goes through here, so that tests can
 * record what was written and synced, and inject what a real disk does at its worst.
 */
import { dirname } from 'node:path'
import { Fault } from '../../base/fault.ts'

/** `create` makes a new file and refuses an old one. */
export type OpenMode = 'read' | 'write' | 'create'

export interface DiskFile {
  /** Bytes of the file now. */
  size(): number
  /** Reads up to `target.length` bytes and returns how many there were. */
  read(target: Uint8Array, offset: number): number
  /** Writes some of `source` and returns how much: use `writeWhole`. */
  writeSome(source: Uint8Array, offset: number): number
  truncate(bytes: number): void
  /** fdatasync, without holding up the thread. */
  sync(): Promise<void>
  /** fsync, for a file that is new or small. */
  syncNow(): void
  close(): void
}

export type LockKind = 'read' | 'write'

export type Lock = { readonly release: () => void }

export interface Disk {
  /** Many may read, or one may write. Throws a Fault that names who holds it. */
  lock(directory: string, kind: LockKind): Lock
  open(path: string, mode: OpenMode): DiskFile
  /** A shared mapping of the whole file as it is now; writes to the file show in it at once. */
  map(path: string): Uint8Array<ArrayBuffer>
  rename(from: string, to: string): void
  unlink(path: string): void
  /** Names in a directory, without `.` and `..`; undefined if there is no such directory. */
  names(directory: string): readonly string[] | undefined
  makeDirectory(path: string): void
  /** Makes creates, renames and unlinks in a directory durable. */
  syncDirectory(path: string): void
}

/** write(2) may take less than it was given, at a full disk above all. */
export function writeWhole(file: DiskFile, source: Uint8Array, offset: number): void {
  let done = 0
  while (done < source.length) {
    const taken = file.writeSome(done === 0 ? source : source.subarray(done), offset + done)
    if (taken <= 0) throw new Fault('write_failed', `the disk took ${taken} bytes of a write`)
    done += taken
  }
}

/** Makes a directory, and those above it, durably: a store that is lost with its directory is lost. */
export function makeDirectories(disk: Disk, path: string): void {
  if (disk.names(path) !== undefined) return
  const above = dirname(path)
  makeDirectories(disk, above)
  disk.makeDirectory(path)
  disk.syncDirectory(above)
}

/** All of a small file. */
export function readWhole(disk: Disk, path: string): Uint8Array {
  const file = disk.open(path, 'read')
  try {
    const content = new Uint8Array(file.size())
    const bytes = file.read(content, 0)
    return content.subarray(0, bytes)
  } finally {
    file.close()
  }
}

/** Puts a small file in the place of `path` so that a crash leaves the old one or the new one. */
export function replaceWhole(
  disk: Disk,
  directory: string,
  name: string,
  content: Uint8Array,
): void {
  const beside = `${directory}/${name}.new`
  if (disk.names(directory)?.includes(`${name}.new`) === true) disk.unlink(beside)
  const file = disk.open(beside, 'create')
  try {
    writeWhole(file, content, 0)
    file.syncNow()
  } finally {
    file.close()
  }
  disk.rename(beside, `${directory}/${name}`)
  disk.syncDirectory(directory)
}

const NO_ROOM: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT'])

export function isNoRoom(error: unknown): boolean {
  return error instanceof Error && 'code' in error && NO_ROOM.has(error.code)
}

/** What a failed write, sync or create is to the caller whose rows it held. */
export function writeFault(error: unknown, where: string): Fault {
  if (error instanceof Fault && error.code !== 'write_failed') return error
  const reason = error instanceof Error ? error.message : String(error)
  return isNoRoom(error)
    ? new Fault('disk_full', `no room on the disk: ${reason}`, { where, cause: error })
    : new Fault('write_failed', `could not write: ${reason}`, { where, cause: error })
}
