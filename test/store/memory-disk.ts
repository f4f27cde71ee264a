/**
 * A disk in memory that remembers what was written and synced, in order, and fails when it is told to.
 * From any moment of its history it makes the disks that a power cut could have left (`afterPowerCut`), and the one that a kill leaves
 * (`afterKill`).
 */
import type { Disk, DiskFile, Lock, OpenMode } from '../../src/store/embedded/disk.ts'
import type { SeededRandom } from '../base/seeded-random.ts'

export const BLOCK_BYTES = 4096
const SECTOR_BYTES = 512

/**
 * What a hole shows in a mapping. A look at one may kill the process where the disk has no room left, and so
 * nobody may look; read(2) gives zeros.
 */
const POISON = 0xa5

const fillBlock = (bytes: Uint8Array, block: number, byte: number) =>
  bytes.fill(byte, block * BLOCK_BYTES, (block + 1) * BLOCK_BYTES)

/** A file's content, apart from its names. */
class Inode {
  bytes = new Uint8Array(0)
  size = 0
  readonly mappings: Uint8Array<ArrayBuffer>[] = []
  /** Blocks that were written to: the others are holes. */
  readonly written = new Set<number>()

  write(source: Uint8Array, offset: number): void {
    const end = offset + source.length
    this.resize(Math.max(this.size, end))
    this.bytes.set(source, offset)
    for (let block = Math.floor(offset / BLOCK_BYTES); block * BLOCK_BYTES < end; block++) {
      if (!this.written.has(block)) this.#fillMapped(block, 0)
      this.written.add(block)
    }
    for (const mapping of this.mappings) {
      if (offset >= mapping.length) continue
      mapping.set(source.subarray(0, mapping.length - offset), offset)
    }
  }

  map(): Uint8Array<ArrayBuffer> {
    const mapping = this.bytes.slice(0, this.size)
    for (let block = 0; block * BLOCK_BYTES < this.size; block++) {
      if (!this.written.has(block)) fillBlock(mapping, block, POISON)
    }
    this.mappings.push(mapping)
    return mapping
  }

  #fillMapped(block: number, byte: number): void {
    // One that was given back has no bytes.
    for (const mapping of this.mappings) if (mapping.length > 0) fillBlock(mapping, block, byte)
  }

  resize(size: number): void {
    if (size > this.bytes.length) {
      const larger = new Uint8Array(Math.max(size, 2 * this.bytes.length))
      larger.set(this.bytes.subarray(0, this.size))
      this.bytes = larger
    }
    if (size < this.size) this.bytes.fill(0, size, this.size)
    this.size = size
  }
}

export type DiskOp =
  | { readonly kind: 'create'; readonly inode: number; readonly path: string }
  | { readonly kind: 'truncate'; readonly inode: number; readonly size: number }
  | {
      readonly kind: 'write'
      readonly inode: number
      readonly offset: number
      readonly bytes: Uint8Array
    }
  /** What was written to the file before op `from` is on the disk now. */
  | { readonly kind: 'synced'; readonly inode: number; readonly from: number }
  /** What was written before op `from` and not synced then is taken for written: no later sync has it. */
  | { readonly kind: 'syncFailed'; readonly inode: number; readonly from: number }
  | { readonly kind: 'rename'; readonly path: string; readonly to: string }
  | { readonly kind: 'unlink'; readonly path: string }
  | { readonly kind: 'syncedDirectory' }
  /** Not of the disk: the test's own mark in the history. */
  | { readonly kind: 'mark'; readonly mark: number }

/** What is about to be done. */
export type Attempt = {
  readonly kind: 'create' | 'write' | 'sync' | 'truncate' | 'rename' | 'unlink' | 'syncDirectory'
  readonly path: string
  readonly bytes: number
}

/** Throws to fail the attempt; of a write it may return how many bytes are taken. */
export type FaultPlan = (attempt: Attempt) => number | undefined

export function diskError(code: 'ENOSPC' | 'EIO'): Error {
  return Object.assign(new Error(`${code}: as the test wants it`), { code })
}

/** Syncs that a canary takes out: they succeed and do nothing. */
export type Omission = 'fdatasync' | 'fsync' | 'directory' | undefined

export class MemoryDisk implements Disk {
  readonly ops: DiskOp[] = []
  readonly #inodes: Inode[] = []
  readonly #names = new Map<string, number>()
  #isLocked = false
  /** Ops before this one only say what the disk began with. */
  historyStart = 0
  plan: FaultPlan = () => undefined
  omission: Omission

  mark(mark: number): void {
    this.ops.push({ kind: 'mark', mark })
  }

  lock(): Lock {
    if (this.#isLocked) throw new Error('the test opened a store twice')
    this.#isLocked = true
    return { release: () => (this.#isLocked = false) }
  }

  /** As if the process that holds it were gone. */
  breakLock(): void {
    this.#isLocked = false
  }

  open(path: string, mode: OpenMode): DiskFile {
    const known = this.#names.get(path)
    if (mode !== 'create') {
      if (known === undefined) throw Object.assign(new Error(`no ${path}`), { code: 'ENOENT' })
      return new MemoryFile(this, path, known)
    }
    if (known !== undefined) throw Object.assign(new Error(`there is ${path}`), { code: 'EEXIST' })
    this.plan({ kind: 'create', path, bytes: 0 })
    const inode = this.#inodes.push(new Inode()) - 1
    this.#apply({ kind: 'create', inode, path })
    return new MemoryFile(this, path, inode)
  }

  map(path: string): Uint8Array<ArrayBuffer> {
    const known = this.#names.get(path)
    if (known === undefined) throw Object.assign(new Error(`no ${path}`), { code: 'ENOENT' })
    const inode = this.inode(known)
    if (inode.size === 0) throw Object.assign(new Error('empty'), { code: 'EINVAL' })
    return inode.map()
  }

  rename(path: string, to: string): void {
    this.plan({ kind: 'rename', path: to, bytes: 0 })
    this.#apply({ kind: 'rename', path, to })
  }

  unlink(path: string): void {
    this.plan({ kind: 'unlink', path, bytes: 0 })
    this.#apply({ kind: 'unlink', path })
  }

  names(directory: string): readonly string[] {
    return [...this.#names.keys()].map((path) => path.slice(directory.length + 1)).sort()
  }

  makeDirectory(): void {}

  syncDirectory(path: string): void {
    this.plan({ kind: 'syncDirectory', path, bytes: 0 })
    if (this.omission !== 'directory') this.ops.push({ kind: 'syncedDirectory' })
  }

  inode(inode: number): Inode {
    return this.#inodes[inode]!
  }

  write(inode: number, source: Uint8Array, offset: number): void {
    this.#apply({ kind: 'write', inode, offset, bytes: source.slice() })
  }

  truncate(inode: number, size: number): void {
    this.#apply({ kind: 'truncate', inode, size })
  }

  syncFailed(inode: number, from: number): void {
    this.ops.push({ kind: 'syncFailed', inode, from })
  }

  synced(inode: number, from: number): void {
    this.ops.push({ kind: 'synced', inode, from })
  }

  /** Changes a byte of a file, as decay would. */
  flip(path: string, offset: number, bits: number): void {
    const inode = this.inode(this.#names.get(path)!)
    inode.write(Uint8Array.of(inode.bytes[offset]! ^ bits), offset)
  }

  /** Cuts a file off. */
  cut(path: string, size: number): void {
    this.inode(this.#names.get(path)!).resize(size)
  }

  content(path: string): Uint8Array {
    const inode = this.inode(this.#names.get(path)!)
    return inode.bytes.subarray(0, inode.size)
  }

  /** The same files on another disk, which starts with no history. */
  copy(): MemoryDisk {
    const copy = new MemoryDisk()
    for (const [path, inode] of this.#names) copy.#put(path, this.inode(inode))
    copy.#startHistory()
    return copy
  }

  /**
   * A disk that could be left if the power went after the first `count` ops: what was synced, and of
   * what was not a choice of blocks, some torn, and a choice of directory changes.
   */
  afterPowerCut(count: number, random: SeededRandom, keep: 'none' | 'all' | 'some'): MemoryDisk {
    const cut = new MemoryDisk()
    const chooses = (): boolean => keep === 'all' || (keep === 'some' && random.chance(0.5))
    const files = this.#inodes.map((_, inode) => this.#survivor(inode, count, random, keep))
    for (const [path, inode] of this.#survivingNames(count, chooses)) cut.#put(path, files[inode]!)
    cut.#startHistory()
    return cut
  }

  /** What the next process sees if this one is killed after the first `count` ops; what is synced stays so. */
  afterKill(count: number): MemoryDisk {
    const killed = new MemoryDisk()
    for (const op of this.ops.slice(0, count)) {
      if (op.kind === 'create') killed.#inodes[op.inode] = new Inode()
      killed.#apply(op)
    }
    killed.historyStart = count
    return killed
  }

  /** What is there now counts as written and synced. */
  #startHistory(): void {
    for (const [path, number] of this.#names) {
      const { bytes, size } = this.inode(number)
      this.ops.push({ kind: 'create', inode: number, path })
      this.ops.push({ kind: 'write', inode: number, offset: 0, bytes: bytes.slice(0, size) })
      this.ops.push({ kind: 'synced', inode: number, from: this.ops.length })
    }
    this.ops.push({ kind: 'syncedDirectory' })
    this.historyStart = this.ops.length
  }

  #put(path: string, file: Inode): void {
    const inode = new Inode()
    inode.resize(file.size)
    inode.bytes.set(file.bytes.subarray(0, file.size))
    for (const block of file.written) inode.written.add(block)
    this.#names.set(path, this.#inodes.push(inode) - 1)
  }

  #apply(op: DiskOp): void {
    this.ops.push(op)
    if (op.kind === 'write') this.inode(op.inode).write(op.bytes, op.offset)
    else if (op.kind === 'truncate') this.inode(op.inode).resize(op.size)
    else applyName(this.#names, op)
  }

  #survivingNames(count: number, chooses: () => boolean): Map<string, number> {
    const ops = this.ops.slice(0, count)
    const synced = ops.findLastIndex((op) => op.kind === 'syncedDirectory')
    // The names as they are seen, to know what a rename moves even where its create was lost.
    const seen = new Map<string, number>()
    const names = new Map<string, number>()
    ops.forEach((op, place) => {
      const inode = op.kind === 'rename' ? seen.get(op.path) : undefined
      applyName(seen, op)
      if (place < synced || chooses()) applyName(names, op, inode)
    })
    return names
  }

  #survivor(
    inode: number,
    count: number,
    random: SeededRandom,
    keep: 'none' | 'all' | 'some',
  ): Inode {
    const ops = this.ops.slice(0, count)
    const last = ops.findLast((op) => op.kind === 'synced' && op.inode === inode)
    const syncedTo = last?.kind === 'synced' ? last.from : 0
    const file = new Inode()
    const durable = durableWrites(ops, inode)
    const kept = new Map<number, boolean>()
    ops.forEach((op, place) => {
      if (op.kind === 'truncate' && op.inode === inode) {
        if (place < syncedTo || keep === 'all' || (keep === 'some' && random.chance(0.5))) {
          file.resize(op.size)
        }
      }
      if (op.kind !== 'write' || op.inode !== inode) return
      if (durable.has(place) || keep === 'all') file.write(op.bytes, op.offset)
      else if (keep === 'some') writeSomeBlocks(file, op, random, kept)
    })
    return file
  }
}

/** Places of the writes to a file that a sync made durable. */
function durableWrites(ops: readonly DiskOp[], inode: number): Set<number> {
  const durable = new Set<number>()
  let waiting: number[] = []
  ops.forEach((op, place) => {
    if (!('inode' in op) || op.inode !== inode) return
    if (op.kind === 'write') waiting.push(place)
    if (op.kind !== 'synced' && op.kind !== 'syncFailed') return
    const reached = waiting.filter((write) => write < op.from)
    if (op.kind === 'synced') for (const write of reached) durable.add(write)
    waiting = waiting.filter((write) => write >= op.from)
  })
  return durable
}

/** Each 4 KiB block of a write gets there, or not, or in part; a lost block takes no later writes. */
function writeSomeBlocks(
  file: Inode,
  op: DiskOp & { kind: 'write' },
  random: SeededRandom,
  kept: Map<number, boolean>,
): void {
  const end = op.offset + op.bytes.length
  for (let start = op.offset; start < end;) {
    const block = Math.floor(start / BLOCK_BYTES)
    const stop = Math.min(end, (block + 1) * BLOCK_BYTES)
    const isKept = kept.get(block) ?? true
    const fate = isKept ? random.below(3) : 0
    if (fate === 0) kept.set(block, false)
    const piece = op.bytes.subarray(start - op.offset, stop - op.offset)
    if (fate === 1) file.write(piece, start)
    if (fate === 2) {
      kept.set(block, false)
      writeTorn(file, piece, start, random)
    }
    start = stop
  }
}

/** Only the sectors before, or only those behind, a place in the block. */
function writeTorn(file: Inode, piece: Uint8Array, start: number, random: SeededRandom): void {
  const sectors =
    Math.ceil((start + piece.length) / SECTOR_BYTES) - Math.floor(start / SECTOR_BYTES)
  const edge = (Math.floor(start / SECTOR_BYTES) + random.below(sectors + 1)) * SECTOR_BYTES
  const split = Math.min(Math.max(edge - start, 0), piece.length)
  if (random.chance(0.5)) file.write(piece.subarray(0, split), start)
  else file.write(piece.subarray(split), start + split)
}

function applyName(names: Map<string, number>, op: DiskOp, moved?: number): void {
  if (op.kind === 'create') names.set(op.path, op.inode)
  else if (op.kind === 'unlink') names.delete(op.path)
  else if (op.kind === 'rename') {
    const inode = moved ?? names.get(op.path)
    names.delete(op.path)
    if (inode !== undefined) names.set(op.to, inode)
  }
}

class MemoryFile implements DiskFile {
  readonly #disk: MemoryDisk
  readonly #path: string
  readonly #inode: number

  constructor(disk: MemoryDisk, path: string, inode: number) {
    this.#disk = disk
    this.#path = path
    this.#inode = inode
  }

  size(): number {
    return this.#disk.inode(this.#inode).size
  }

  read(target: Uint8Array, offset: number): number {
    const { bytes, size } = this.#disk.inode(this.#inode)
    const source = bytes.subarray(Math.min(offset, size), Math.min(offset + target.length, size))
    target.set(source)
    return source.length
  }

  writeSome(source: Uint8Array, offset: number): number {
    const attempt: Attempt = { kind: 'write', path: this.#path, bytes: source.length }
    const taken = Math.min(this.#disk.plan(attempt) ?? source.length, source.length)
    this.#disk.write(this.#inode, source.subarray(0, taken), offset)
    return taken
  }

  truncate(bytes: number): void {
    this.#disk.plan({ kind: 'truncate', path: this.#path, bytes })
    this.#disk.truncate(this.#inode, bytes)
  }

  async sync(): Promise<void> {
    const from = this.#disk.ops.length
    await new Promise((resolve) => setImmediate(resolve))
    try {
      this.#disk.plan({ kind: 'sync', path: this.#path, bytes: 0 })
    } catch (error) {
      this.#disk.syncFailed(this.#inode, from)
      throw error
    }
    if (this.#disk.omission !== 'fdatasync') this.#disk.synced(this.#inode, from)
  }

  syncNow(): void {
    this.#disk.plan({ kind: 'sync', path: this.#path, bytes: 0 })
    if (this.#disk.omission !== 'fsync') this.#disk.synced(this.#inode, this.#disk.ops.length)
  }

  close(): void {}
}
