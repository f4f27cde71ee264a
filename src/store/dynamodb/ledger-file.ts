/** A ledger's file (ledger-format.md): read when it is opened, appended to, and written anew. */
import { Fault } from '../../base/fault.ts'
import { utf8Decoder, utf8Encoder } from '../../base/utf8.ts'
import type { LedgerDisk, LedgerFileHandle } from './ledger-disk.ts'
import type { LedgerEntries } from './ledger-record.ts'
import {
  CONTENT_BYTES_MAX,
  RECORD_BINDING,
  RECORD_HEAD_BYTES,
  RECORD_INTENTS,
  RECORD_ROWS,
  contentBytesOf,
  isContentWhole,
  kindOf,
  makeRecord,
} from './ledger-record.ts'

const FILE = 'LEDGER'
const FILE_BESIDE = 'LEDGER.new'
const FORMAT = 1

/** What a ledger belongs to: a table of that name made anew is another, and so is another layout. */
export type LedgerBinding = {
  readonly arn: string
  readonly createdS: number
  /** The layout's bytes as text. */
  readonly layout: string
}

export type LedgerSink = {
  readonly onRows: (content: Uint8Array) => void
  readonly onIntents: (content: Uint8Array) => void
}

export const REBUILD =
  '`salver ingest ledger rebuild`, which reads the whole table, or a run without --ledger'

export class LedgerFile {
  readonly #file: LedgerFileHandle
  readonly #path: string
  readonly binding: LedgerBinding
  #end: number
  /** Set when a write or a sync failed: what the file holds past its end is then unknown. */
  #failure: Fault | undefined

  private constructor(
    file: LedgerFileHandle,
    path: string,
    opened: { readonly binding: LedgerBinding; readonly end: number },
  ) {
    this.#file = file
    this.#path = path
    this.binding = opened.binding
    this.#end = opened.end
  }

  get bytes(): number {
    return this.#end
  }

  /** Undefined if the directory holds no ledger. Tells `sink` every entry in order; cuts a torn end off. */
  static open(disk: LedgerDisk, directory: string, sink: LedgerSink): LedgerFile | undefined {
    if (disk.names(directory)?.includes(FILE) !== true) return undefined
    const path = `${directory}/${FILE}`
    const file = disk.open(path, 'write')
    try {
      const read = new RecordReader(file, path)
      const binding = readBinding(read)
      while (read.next()) {
        if (read.kind === RECORD_ROWS) sink.onRows(read.content)
        else if (read.kind === RECORD_INTENTS) sink.onIntents(read.content)
        else throw damaged(path, read.start, `a record of the unknown kind ${read.kind}`)
      }
      if (read.end < file.size()) {
        file.truncate(read.end)
        file.syncNow()
      }
      return new LedgerFile(file, path, { binding, end: read.end })
    } catch (error) {
      file.close()
      throw error
    }
  }

  /** Puts a whole new ledger in the place of the one that may be there. */
  static replace(
    disk: LedgerDisk,
    directory: string,
    binding: LedgerBinding,
    parts: readonly (readonly [kind: number, contents: Iterable<Uint8Array>])[],
  ): LedgerFile {
    if (disk.names(directory)?.includes(FILE_BESIDE) === true) {
      disk.unlink(`${directory}/${FILE_BESIDE}`)
    }
    const path = `${directory}/${FILE}`
    const file = disk.open(`${directory}/${FILE_BESIDE}`, 'create')
    try {
      let end = writeRecord(file, RECORD_BINDING, encodeBinding(binding), 0)
      for (const [kind, contents] of parts) {
        for (const content of contents) end = writeRecord(file, kind, content, end)
      }
      file.syncNow()
      disk.rename(`${directory}/${FILE_BESIDE}`, path)
      disk.syncDirectory(directory)
      return new LedgerFile(file, path, { binding, end })
    } catch (error) {
      file.close()
      throw ledgerWriteFault(error, path)
    }
  }

  /** Durable on return. After a failure every further append fails: the next open finds what is true. */
  async append(kind: number, entries: LedgerEntries): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure
    try {
      for (const content of entries.contents()) {
        const end = writeRecord(this.#file, kind, content, this.#end)
        await this.#file.sync()
        this.#end = end
      }
    } catch (error) {
      this.#failure = ledgerWriteFault(error, this.#path)
      throw this.#failure
    }
  }

  close(): void {
    this.#file.close()
  }
}

function writeRecord(
  file: LedgerFileHandle,
  kind: number,
  content: Uint8Array,
  offset: number,
): number {
  const record = makeRecord(kind, content, offset)
  let done = 0
  while (done < record.length) {
    const taken = file.writeSome(done === 0 ? record : record.subarray(done), offset + done)
    if (taken <= 0) throw new Fault('write_failed', `the disk took ${taken} bytes of a write`)
    done += taken
  }
  return offset + record.length
}

function encodeBinding({ arn, createdS, layout }: LedgerBinding): Uint8Array {
  const text = utf8Encoder.encode(JSON.stringify({ format: FORMAT, arn, createdS, layout }))
  const content = new Uint8Array((text.length + 7) & ~7).fill(0x20)
  content.set(text)
  return content
}

function readBinding(read: RecordReader): LedgerBinding {
  if (!read.next() || read.kind !== RECORD_BINDING) {
    throw damaged(read.path, 0, 'it does not say what it belongs to')
  }
  const parsed = JSON.parse(utf8Decoder.decode(read.content)) as LedgerBinding & {
    readonly format: number
  } // written by encodeBinding, and its checksum holds
  if (parsed.format !== FORMAT) {
    throw damaged(read.path, 0, `it is of the unknown format ${parsed.format}`)
  }
  return { arn: parsed.arn, createdS: parsed.createdS, layout: parsed.layout }
}

/** Goes from record to record. */
class RecordReader {
  readonly path: string
  readonly #file: LedgerFileHandle
  readonly #size: number
  /** Two of the largest records: a look at one never needs more than one read. */
  readonly #window = new Uint8Array(2 * (RECORD_HEAD_BYTES + CONTENT_BYTES_MAX))
  readonly #view = new DataView(this.#window.buffer)
  #windowStart = 0
  #windowEnd = 0
  kind = 0
  content: Uint8Array = new Uint8Array(0)
  start = 0
  /** Of the whole records so far. */
  end = 0

  constructor(file: LedgerFileHandle, path: string) {
    this.#file = file
    this.path = path
    this.#size = file.size()
  }

  /** False at the end, torn or not. */
  next(): boolean {
    const bytes = this.#recordBytesAt(this.end)
    if (bytes < 0) {
      this.#checkTorn()
      return false
    }
    const at = this.end - this.#windowStart
    this.kind = kindOf(this.#view, at)
    this.content = this.#window.subarray(at + RECORD_HEAD_BYTES, at + bytes)
    this.start = this.end
    this.end += bytes
    return true
  }

  /** Bytes of the whole record that starts at an offset, or -1. */
  #recordBytesAt(offset: number): number {
    if (!this.#see(offset, RECORD_HEAD_BYTES)) return -1
    const contentBytes = contentBytesOf(this.#view, offset - this.#windowStart, offset)
    if (contentBytes < 0 || !this.#see(offset, RECORD_HEAD_BYTES + contentBytes)) return -1
    const at = offset - this.#windowStart
    const content = this.#window.subarray(
      at + RECORD_HEAD_BYTES,
      at + RECORD_HEAD_BYTES + contentBytes,
    )
    return isContentWhole(this.#view, at, offset, content) ? RECORD_HEAD_BYTES + contentBytes : -1
  }

  #see(offset: number, bytes: number): boolean {
    if (offset + bytes > this.#size) return false
    if (offset >= this.#windowStart && offset + bytes <= this.#windowEnd) return true
    this.#windowStart = offset
    this.#windowEnd = offset + this.#file.read(this.#window, offset)
    return offset + bytes <= this.#windowEnd
  }

  /** What follows the last whole record is a torn end only if no whole record is in it. */
  #checkTorn(): void {
    const tornBytes = this.#size - this.end
    if (tornBytes > RECORD_HEAD_BYTES + CONTENT_BYTES_MAX) throw this.#damage()
    for (let offset = this.end + 8; offset < this.#size; offset += 8) {
      if (this.#recordBytesAt(offset) >= 0) throw this.#damage()
    }
  }

  #damage(): Fault {
    return damaged(this.path, this.end, 'a record does not hold together')
  }
}

const damaged = (path: string, offset: number, what: string): Fault =>
  new Fault('store_damaged', `the ledger is damaged: ${what}`, {
    where: `${path}, offset ${offset}`,
    allowed: REBUILD,
  })

const NO_ROOM: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT'])

function ledgerWriteFault(error: unknown, where: string): Fault {
  if (error instanceof Fault) return error
  const reason = error instanceof Error ? error.message : String(error)
  const isFull = error instanceof Error && 'code' in error && NO_ROOM.has(error.code)
  return isFull
    ? new Fault('disk_full', `no room on the disk for the ledger: ${reason}`, {
        where,
        cause: error,
      })
    : new Fault('write_failed', `could not write the ledger: ${reason}`, { where, cause: error })
}
