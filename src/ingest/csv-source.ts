/**
 * CSV with a header. An empty cell is null, `""` is the empty text; what a cell means its feature's
 * type says. A row of the wrong width is an unreadable row; the others go on.
 */
import { Fault } from '../base/fault.ts'
import { CHUNK_ROWS_MAX } from '../base/limits.ts'
import type { NamedColumn } from './column.ts'
import { CsvCells } from './csv-cells.ts'
import type { ColumnChunk, SourceFile } from './source.ts'
import { UnreadableRow } from './source.ts'
import type { TextBlock } from './text-blocks.ts'
import { TextBlocks } from './text-blocks.ts'

const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf] as const

/** Reads the header. */
export async function openCsvFile(path: string): Promise<SourceFile> {
  const bytes = Bun.file(path).size
  const blocks = new TextBlocks(path)
  try {
    const { columns } = await readHeader(path, blocks)
    return { path, bytes, columns, chunks: () => readChunks(path) }
  } finally {
    blocks.close()
  }
}

async function* readChunks(path: string): AsyncGenerator<ColumnChunk> {
  const blocks = new TextBlocks(path)
  try {
    const { columns } = await readHeader(path, blocks)
    let firstRow = 1
    for (let block = await blocks.next(); block !== undefined; block = await blocks.next()) {
      const cells = new CsvCells(block.bytes, block.isLast)
      while (cells.read(CHUNK_ROWS_MAX, columns.length)) {
        yield makeChunk(path, firstRow, cells, columns, block)
        firstRow += cells.rows
      }
      if (block.isLast && cells.end < block.bytes.length) throw openQuote(path, firstRow)
      blocks.keepFrom(cells.end, firstRow)
    }
  } finally {
    blocks.close()
  }
}

/** The rows of a chunk are read where they lie: `cells` must not move on before it is used. */
function makeChunk(
  path: string,
  firstRow: number,
  cells: CsvCells,
  names: readonly string[],
  block: TextBlock,
): ColumnChunk {
  const unreadable = new Map<number, UnreadableRow>()
  for (const [row, fault] of cells.faults) unreadable.set(row, new UnreadableRow(fault))
  const columns = names.map((name, place): NamedColumn => ({
    name,
    column: { form: 'untyped', at: (row) => cells.text(row, place) },
  }))
  const { fileBytesRead } = block
  const place = { file: path, firstRow, rows: cells.rows, fileBytesRead }
  return { kind: 'columns', ...place, columns, unreadable }
}

/** Takes the header off the front of the file. */
async function readHeader(path: string, blocks: TextBlocks): Promise<{ columns: string[] }> {
  for (let block = await blocks.next(); block !== undefined; block = await blocks.next()) {
    const start = BYTE_ORDER_MARK.every((byte, at) => block.bytes[at] === byte) ? 3 : 0
    const cells = new CsvCells(block.bytes.subarray(start), block.isLast)
    if (cells.read(1, 0)) {
      blocks.keepFrom(start + cells.end, 1)
      return { columns: parseHeader(path, cells) }
    }
    if (block.isLast) break
    blocks.keepFrom(0, 0)
  }
  throw new Fault('source_invalid', 'has no header', {
    where: path,
    allowed: 'a first line with the names of the columns',
  })
}

function parseHeader(path: string, cells: CsvCells): string[] {
  const fault = cells.faults.get(0)
  if (fault !== undefined) {
    throw new Fault('source_invalid', `its header can't be read: ${fault}`, { where: path })
  }
  const columns = Array.from({ length: cells.width(0) }, (_, place) => cells.text(0, place) ?? '')
  columns.forEach((name, place) => {
    if (name !== '' && columns.indexOf(name) === place) return
    const what = name === '' ? `column ${place + 1} has no name` : `two columns are named ${name}`
    throw new Fault('source_invalid', what, { where: path, allowed: 'a header of distinct names' })
  })
  return columns
}

const openQuote = (path: string, row: number): Fault =>
  new Fault('source_invalid', `row ${row} ends inside a quoted cell`, {
    where: path,
    allowed: 'a closing quote for each opening one',
  })
