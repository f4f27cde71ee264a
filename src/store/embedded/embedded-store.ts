/** The embedded store in one thread: the writer, and a reader beside it. */
import { resolve } from 'node:path'
import { Fault } from '../../base/fault.ts'
import type { ReadBatch } from '../read-batch.ts'
import type { ScanEntry, Store, StoreStats, TableHandle, TableSpec } from '../store.ts'
import type { WriteBatch, WriteOutcomes } from '../write-batch.ts'
import { describeState } from './describe-state.ts'
import type { Disk } from './disk.ts'
import { makeDirectories } from './disk.ts'
import { EmbeddedReader } from './embedded-reader.ts'
import type { Durability } from './embedded-writer.ts'
import { EmbeddedWriter } from './embedded-writer.ts'
import type { LogSizes } from './log-sizes.ts'
import { LOG_SIZES } from './log-sizes.ts'
import type { LogState } from './log-state.ts'
import { nodeDisk } from './node-disk.ts'
import { createStore, isStore, openState, readState, saveState } from './open-store.ts'
import { scanTable } from './scan-table.ts'
import { sharedIndexOf } from './shared-index.ts'
import type { VerifyReport } from './verify-store.ts'
import { verifyDirectory, verifyState } from './verify-store.ts'

export type EmbeddedOptions = {
  readonly dir: string
  readonly durability: Durability
  /** Reads what is there, beside other readers; writes are refused and nothing on the disk changes. */
  readonly readOnly?: boolean
  readonly disk?: Disk
  /** Now, in microseconds. */
  readonly clock?: () => number
  readonly sizes?: LogSizes
}

/** A store that is open for writing: its writer, to be closed, and its state, for looking at. */
export type OpenedWriter = { readonly writer: EmbeddedWriter; readonly state: LogState }

/** Opens a store, or makes one in a fresh directory, and locks it. The writer's `close` ends both. */
export async function openEmbeddedWriter(options: EmbeddedOptions): Promise<OpenedWriter> {
  const { disk = nodeDisk, sizes = LOG_SIZES, clock = () => Date.now() * 1000 } = options
  const dir = resolve(options.dir)
  makeDirectories(disk, dir)
  isStore(disk, dir) // before a LOCK is put into what may be somebody else's directory
  const lock = disk.lock(dir, 'write')
  try {
    if (!isStore(disk, dir)) createStore(disk, dir)
    const { state, roster } = await openState(disk, dir, sizes)
    const release = (isWell: boolean) => {
      try {
        if (isWell) saveState(state)
      } finally {
        state.map.unmapAll()
        lock.release()
      }
    }
    const { durability } = options
    return { writer: new EmbeddedWriter(state, roster, { durability, clock, release }), state }
  } catch (error) {
    lock.release()
    throw error
  }
}

export async function openEmbeddedStore(options: EmbeddedOptions): Promise<EmbeddedStore> {
  if (options.readOnly === true) return openReadOnly(options)
  const { writer, state } = await openEmbeddedWriter(options)
  const reader = attach(writer, options.disk ?? nodeDisk)
  return new EmbeddedStore({ state, reader, writer, close: () => writer.close() })
}

function openReadOnly({ dir, disk = nodeDisk, sizes = LOG_SIZES }: EmbeddedOptions): EmbeddedStore {
  const directory = resolve(dir)
  const lock = disk.lock(directory, 'read')
  try {
    const { state } = readState(disk, directory, sizes)
    const reader = new EmbeddedReader(sharedIndexOf(state), disk)
    const close = async () => {
      state.map.unmapAll()
      lock.release()
    }
    return new EmbeddedStore({ state, reader, writer: undefined, close })
  } catch (error) {
    lock.release()
    throw error
  }
}

/** Lists every damage of a store that no process has open, one that refuses to open too. */
export function verifyStore(dir: string, disk: Disk = nodeDisk, sizes = LOG_SIZES): VerifyReport {
  const directory = resolve(dir)
  const lock = disk.lock(directory, 'read')
  try {
    return verifyDirectory(disk, directory, sizes)
  } finally {
    lock.release()
  }
}

/** A reader in the writer's own thread: between its calls it has always passed every update. */
function attach(writer: EmbeddedWriter, disk: Disk): EmbeddedReader {
  const { reader: number, index } = writer.attachReader((update) =>
    writer.acknowledge(number, reader.apply(update)),
  )
  const reader = new EmbeddedReader(index, disk)
  return reader
}

type StoreParts = {
  readonly state: LogState
  readonly reader: EmbeddedReader
  readonly writer: EmbeddedWriter | undefined
  readonly close: () => Promise<void>
}

export class EmbeddedStore implements Store {
  readonly #parts: StoreParts

  constructor(parts: StoreParts) {
    this.#parts = parts
  }

  readMany(batch: ReadBatch): undefined {
    return this.#parts.reader.readMany(batch)
  }

  tableNumber(name: string, keySignature: string): number {
    return this.#parts.reader.tableNumber(name, keySignature)
  }

  layoutBytes(layout: number): Uint8Array {
    return this.#parts.reader.layoutBytes(layout)
  }

  async openTable(spec: TableSpec): Promise<TableHandle> {
    return this.#writer().openTable(spec)
  }

  async writeMany(batch: WriteBatch): Promise<WriteOutcomes> {
    return this.#writer().writeMany(batch)
  }

  /** The outcomes that `writeMany` would give now; nothing is written. */
  async judgeMany(batch: WriteBatch): Promise<WriteOutcomes> {
    return this.#writer().judgeMany(batch)
  }

  async dropTable(table: number): Promise<number> {
    return this.#writer().dropTable(table)
  }

  async compact(): Promise<void> {
    return this.#writer().compact()
  }

  async verify(): Promise<VerifyReport> {
    return this.#parts.writer?.verify() ?? verifyState(this.#parts.state)
  }

  *scan(table: number): Generator<ScanEntry> {
    const { state, writer } = this.#parts
    writer?.pin()
    try {
      yield* scanTable(state, table)
    } finally {
      writer?.unpin()
    }
  }

  stats(): StoreStats {
    const { state, writer } = this.#parts
    return writer?.stats() ?? describeState(state, { direct: 0, stream: 0, batch: 0 })
  }

  async close(): Promise<void> {
    await this.#parts.close()
    this.#parts.reader.close()
  }

  #writer(): EmbeddedWriter {
    const { writer } = this.#parts
    if (writer === undefined) throw new Fault('read_only', 'the store was opened for reading only')
    return writer
  }
}
