/**
 * The body of a write: rows of one view in NDJSON, JSON or msgpack. JSON and msgpack hold a list of
 * rows, or an object with `rows` (a list of objects) or `columns` (a list for each name, all of one
 * length: the quicker form), and there `timestamp_unit` may say what an integer event time counts.
 */
import { parseJson } from '../base/exact-json.ts'
import { Fault } from '../base/fault.ts'
import { NESTING_MAX, ROWS_PER_WRITE_MAX } from '../base/limits.ts'
import type { PlainValue } from '../catalog/catalog.ts'
import { MsgpackReader } from '../codec/msgpack-reader.ts'
import type { RequestReader } from '../codec/request-reader.ts'
import type { Column } from './column.ts'
import { countLines, isRecord, parseLines } from './ndjson-source.ts'
import type { Chunk, ColumnChunk, RecordChunk, RowRecord } from './source.ts'
import { UnreadableRow } from './source.ts'
import type { TimeUnit } from './time-value.ts'

export type WriteFormat = 'ndjson' | 'json' | 'msgpack'

export type WriteBody = {
  /** All of its rows; the first is row 0. */
  readonly chunk: Chunk
  /** '' where the body does not say. */
  readonly timeUnit: TimeUnit
}

const UNITS: readonly TimeUnit[] = ['s', 'ms', 'us', 'ns']
const FIELDS = ['rows', 'columns', 'timestamp_unit']
const SHAPES = 'a list of rows, or an object with rows or columns, and timestamp_unit'

/** A body that is not of its format is a `malformed` Fault; a bad row is only that row. */
export function parseWriteBody(format: WriteFormat, body: Uint8Array): WriteBody {
  if (body.length === 0) throw new Fault('malformed', 'the body is empty', { where: 'byte 0' })
  if (format === 'ndjson') return { chunk: linesChunk(body), timeUnit: '' }
  const value = format === 'json' ? parseJson(decodeText(body)) : readMsgpack(body)
  if (Array.isArray(value)) return { chunk: recordsChunk(value), timeUnit: '' }
  if (!isRecord(value)) throw wrongShape('the body is neither a list nor an object')
  return parseObject(value)
}

function linesChunk(body: Uint8Array): RecordChunk {
  requireFew(countLines(body))
  const records = parseLines(body)
  const [first] = records
  if (first instanceof UnreadableRow && records.every((row) => row instanceof UnreadableRow)) {
    throw new Fault('malformed', `no line is a row; the first: ${first.reason}`, {
      where: 'line 1',
      allowed: 'a JSON object on each line',
    })
  }
  return makeRecordChunk(records)
}

function decodeText(body: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body)
  } catch (cause) {
    throw new Fault('malformed', 'JSON is not UTF-8', { allowed: 'UTF-8', cause })
  }
}

function parseObject(body: RowRecord): WriteBody {
  const unknown = Object.keys(body).find((name) => !FIELDS.includes(name))
  if (unknown !== undefined) throw wrongShape(`the body has no field ${JSON.stringify(unknown)}`)
  const timeUnit = parseUnit(body['timestamp_unit'])
  const { rows, columns } = body
  if (rows !== undefined && columns !== undefined) {
    throw wrongShape('the body has both rows and columns')
  }
  if (Array.isArray(rows)) return { chunk: recordsChunk(rows), timeUnit }
  if (isRecord(columns)) return { chunk: columnsChunk(columns), timeUnit }
  throw wrongShape('the body has neither a list of rows nor an object of columns')
}

function parseUnit(value: unknown): TimeUnit {
  if (value === undefined || value === null) return ''
  const unit = UNITS.find((one) => one === value)
  if (unit !== undefined) return unit
  throw new Fault('invalid_request', 'timestamp_unit is not one of those known', {
    where: 'timestamp_unit',
    allowed: UNITS.join(', '),
  })
}

function recordsChunk(rows: readonly unknown[]): RecordChunk {
  requireFew(rows.length)
  return makeRecordChunk(
    rows.map((row) => (isRecord(row) ? row : new UnreadableRow('not an object'))),
  )
}

const makeRecordChunk = (records: RecordChunk['records']): RecordChunk => ({
  kind: 'records',
  file: 'body',
  firstRow: 0,
  rows: records.length,
  fileBytesRead: 0,
  records,
})

function columnsChunk(columns: RowRecord): ColumnChunk {
  const named = Object.entries(columns).map(([name, values]) => {
    if (Array.isArray(values)) return { name, values: values as readonly PlainValue[] } // read as such
    throw new Fault('invalid_request', 'a column is not a list', { where: `columns.${name}` })
  })
  const rows = named[0]?.values.length ?? 0
  requireFew(rows)
  for (const { name, values } of named) {
    if (values.length === rows) continue
    throw new Fault(
      'invalid_request',
      `the columns differ in length: ${values.length} and ${rows}`,
      {
        where: `columns.${name}`,
        allowed: 'a value, or null, for each row in each column',
      },
    )
  }
  return {
    kind: 'columns',
    file: 'body',
    firstRow: 0,
    rows,
    fileBytesRead: 0,
    columns: named.map(({ name, values }) => ({ name, column: columnOf(values) })),
    unreadable: new Map(),
  }
}

/** Packed where all values are numbers or null: then no value is looked at one by one again. */
export function columnOf(values: readonly PlainValue[]): Column {
  const numbers = new Float64Array(values.length)
  let valid: Uint8Array | undefined
  for (let row = 0; row < values.length; row++) {
    const value = values[row]!
    if (typeof value === 'number') {
      numbers[row] = value
      continue
    }
    if (value !== null) return { form: 'value', at: (place) => values[place]! }
    valid ??= new Uint8Array((values.length + 7) >> 3).fill(0xff)
    valid[row >> 3] = valid[row >> 3]! & ~(1 << (row & 7))
  }
  return { form: 'number', values: numbers, valid }
}

function readMsgpack(body: Uint8Array): PlainValue {
  const reader = new MsgpackReader(body)
  const value = readAny(reader, 0)
  reader.end()
  return value
}

function readAny(reader: RequestReader, depth: number): PlainValue {
  const kind = reader.kind()
  if (kind === 'scalar') return reader.readScalar()
  if (depth === NESTING_MAX) {
    throw new Fault('malformed', 'msgpack is nested too deep', {
      where: `byte ${reader.byteOffset()}`,
      allowed: `${NESTING_MAX} levels`,
    })
  }
  return kind === 'array' ? readList(reader, depth) : readMap(reader, depth)
}

function readList(reader: RequestReader, depth: number): PlainValue {
  const values: PlainValue[] = []
  reader.enterArray()
  while (reader.nextElement()) values.push(readAny(reader, depth + 1))
  return values
}

/** Without a prototype: any name is only a name. The last of equal ones counts, as in JSON. */
function readMap(reader: RequestReader, depth: number): PlainValue {
  const values: { [name: string]: PlainValue } = Object.create(null)
  reader.enterMap()
  for (let name = reader.nextKey(); name !== undefined; name = reader.nextKey()) {
    values[name] = readAny(reader, depth + 1)
  }
  return values
}

function requireFew(rows: number): void {
  if (rows <= ROWS_PER_WRITE_MAX) return
  throw new Fault('too_large', `${rows} rows in one write`, {
    where: 'body',
    allowed: `${ROWS_PER_WRITE_MAX} rows`,
  })
}

const wrongShape = (what: string): Fault =>
  new Fault('invalid_request', what, { where: 'body', allowed: SHAPES })
