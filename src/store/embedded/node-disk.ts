/** The real disk: node:fs, and Bun.mmap for reading segments where they lie. */
import {
  closeSync,
  fdatasync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import type { Disk, DiskFile, Lock, LockKind, OpenMode } from './disk.ts'
import { lockDirectory } from './lock.ts'

const FLAGS: Record<OpenMode, string> = { read: 'r', write: 'r+', create: 'wx+' }

class NodeFile implements DiskFile {
  readonly #descriptor: number

  constructor(descriptor: number) {
    this.#descriptor = descriptor
  }

  size(): number {
    return fstatSync(this.#descriptor).size
  }

  read(target: Uint8Array, offset: number): number {
    let done = 0
    while (done < target.length) {
      const bytes = readSync(this.#descriptor, target, done, target.length - done, offset + done)
      if (bytes === 0) break
      done += bytes
    }
    return done
  }

  writeSome(source: Uint8Array, offset: number): number {
    return writeSync(this.#descriptor, source, 0, source.length, offset)
  }

  truncate(bytes: number): void {
    ftruncateSync(this.#descriptor, bytes)
  }

  sync(): Promise<void> {
    return new Promise((resolve, reject) => {
      fdatasync(this.#descriptor, (error) => {
        if (error === null) resolve()
        else reject(error)
      })
    })
  }

  syncNow(): void {
    fsyncSync(this.#descriptor)
  }

  close(): void {
    closeSync(this.#descriptor)
  }
}

class NodeDisk implements Disk {
  lock(directory: string, kind: LockKind): Lock {
    return lockDirectory(directory, kind)
  }

  open(path: string, mode: OpenMode): DiskFile {
    return new NodeFile(openSync(path, FLAGS[mode], 0o644))
  }

  map(path: string): Uint8Array<ArrayBuffer> {
    return Bun.mmap(path)
  }

  rename(from: string, to: string): void {
    renameSync(from, to)
  }

  unlink(path: string): void {
    unlinkSync(path)
  }

  names(directory: string): readonly string[] | undefined {
    try {
      return readdirSync(directory)
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
      throw error
    }
  }

  makeDirectory(path: string): void {
    mkdirSync(path)
  }

  syncDirectory(path: string): void {
    const descriptor = openSync(path, 'r')
    try {
      fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
  }
}

export const nodeDisk: Disk = new NodeDisk()
