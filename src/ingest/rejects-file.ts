/** The rows of a run that could not be ingested, one JSON object a line, with the reason and the row. */
import { closeSync, openSync, writeSync } from 'node:fs'
import { Fault } from '../base/fault.ts'
import { REJECTED_ROW_CHARS_MAX } from '../base/limits.ts'
import { valueAt } from './column.ts'
import type { Reject } from './normaliser.ts'
import type { Chunk } from './source.ts'
import { UnreadableRow } from './source.ts'

export class RejectsFile {
  readonly path: string
  /** Made, in place of one of an earlier run, when the first row is rejected. */
  #descriptor: number | undefined

  constructor(path: string) {
    this.path = path
  }

  get isMade(): boolean {
    return this.#descriptor !== undefined
  }

  /** `chunk` holds the rows; without it they are told by their numbers alone. */
  write(view: string, file: string, rejects: readonly Reject[], chunk: Chunk | undefined): void {
    if (rejects.length === 0) return
    const lines = rejects.map(({ row, column, reason }) => {
      const shown = chunk === undefined ? undefined : rowText(chunk, row - chunk.firstRow)
      const head = JSON.stringify({ view, file, row, column, reason })
      return shown === undefined ? `${head}\n` : `${head.slice(0, -1)},"data":${shown}}\n`
    })
    try {
      this.#descriptor ??= openSync(this.path, 'w')
      writeWhole(this.#descriptor, Buffer.from(lines.join('')))
    } catch (cause) {
      throw new Fault('write_failed', `the rejects file can't be written: ${String(cause)}`, {
        where: this.path,
        cause,
      })
    }
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor)
    this.#descriptor = undefined
  }
}

function writeWhole(descriptor: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) done += writeSync(descriptor, bytes, done)
}

/** The row as JSON: bytes in base64, NaN as null. Undefined for one that is none, or is too long. */
function rowText(chunk: Chunk, index: number): string | undefined {
  const row = rowOf(chunk, index)
  if (row === undefined) return undefined
  try {
    const text = JSON.stringify(row, jsonForm)
    return text.length <= REJECTED_ROW_CHARS_MAX ? text : undefined
  } catch (thrown) {
    if (thrown instanceof RangeError) return undefined // nested past the end of the stack
    throw thrown
  }
}

function jsonForm(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') return rawJson(String(value))
  return value instanceof Uint8Array ? value.toBase64() : value
}

/** JSON.rawJSON, which the library's types do not know yet: an integer with all of its digits. */
const rawJson = (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON

function rowOf(chunk: Chunk, index: number): object | undefined {
  if (chunk.kind === 'records') {
    const record = chunk.records[index]
    return record instanceof UnreadableRow ? undefined : record
  }
  if (chunk.unreadable.has(index)) return undefined
  return Object.fromEntries(chunk.columns.map(({ name, column }) => [name, valueAt(column, index)]))
}
