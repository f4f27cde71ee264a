/** NDJSON: a JSON object on each line. A line that is none is an unreadable row; the others go on. */
import { isUtf8 } from 'node:buffer'
import { parseJson } from '../base/exact-json.ts'
import { Fault } from '../base/fault.ts'
import { CHUNK_ROWS_MAX } from '../base/limits.ts'
import type { RecordChunk, RowRecord, SourceFile } from './source.ts'
import { UnreadableRow } from './source.ts'
import { TextBlocks } from './text-blocks.ts'

const NEWLINE = 0x0a

/** An integer that a double may not hold: sixteen digits, and neither a fraction nor an exponent. */
const LONG_INTEGER = /(?:^|[^\d.])\d{16,}(?![\d.eE])/

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

type Row = RowRecord | UnreadableRow

export function openNdjsonFile(path: string): SourceFile {
  const bytes = Bun.file(path).size
  return { path, bytes, columns: undefined, chunks: () => readChunks(path) }
}

async function* readChunks(path: string): AsyncGenerator<RecordChunk> {
  const blocks = new TextBlocks(path)
  let firstRow = 1
  try {
    for (let block = await blocks.next(); block !== undefined; block = await blocks.next()) {
      const end = block.isLast ? block.bytes.length : block.bytes.lastIndexOf(NEWLINE) + 1
      const records = parseLines(block.bytes.subarray(0, end))
      for (let start = 0; start < records.length; start += CHUNK_ROWS_MAX) {
        const part = records.slice(start, start + CHUNK_ROWS_MAX)
        const { fileBytesRead } = block
        const place = { file: path, firstRow, rows: part.length, fileBytesRead }
        yield { kind: 'records', ...place, records: part }
        firstRow += part.length
      }
      blocks.keepFrom(end, firstRow)
    }
  } finally {
    blocks.close()
  }
}

/** The rows of whole lines; blank lines are none. */
export function parseLines(bytes: Uint8Array): Row[] {
  return parseAtOnce(bytes) ?? splitLines(bytes).map(parseLine)
}

/** Fast, for lines without long integers; undefined where a line needs a closer look. */
function parseAtOnce(bytes: Uint8Array): Row[] | undefined {
  if (!isUtf8(bytes)) return undefined
  const { buffer, byteOffset, byteLength } = bytes
  if (LONG_INTEGER.test(Buffer.from(buffer, byteOffset, byteLength).toString('latin1')))
    return undefined
  const { values, done, error } = Bun.JSONL.parseChunk(bytes)
  if (!done || error !== null || values.length !== countLines(bytes)) return undefined
  return values.every(isRecord) ? values : undefined
}

/** Lines with more than white space in them. */
export function countLines(bytes: Uint8Array): number {
  let lines = 0
  let isBlank = true
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]!
    if (byte === NEWLINE) isBlank = true
    else if (isBlank && byte > 0x20) {
      isBlank = false
      lines++
    }
  }
  return lines
}

function splitLines(bytes: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = []
  let start = 0
  while (start < bytes.length) {
    const found = bytes.indexOf(NEWLINE, start)
    const end = found < 0 ? bytes.length : found
    const line = bytes.subarray(start, end)
    if (line.some((byte) => byte > 0x20)) lines.push(line)
    start = end + 1
  }
  return lines
}

function parseLine(line: Uint8Array): Row {
  let text: string
  try {
    text = strictUtf8.decode(line)
  } catch {
    return new UnreadableRow('not UTF-8')
  }
  try {
    const value = parseJson(text)
    return isRecord(value) ? value : new UnreadableRow('not a JSON object')
  } catch (fault) {
    if (!(fault instanceof Fault)) throw fault
    // The row's text is a line of its own: only the column says something.
    return new UnreadableRow(`${fault.message}, ${fault.where?.replace('line 1, ', '')}`)
  }
}

export const isRecord = (value: unknown): value is RowRecord =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
