/** Answers in columns: the shape that JSON and msgpack replies share (format.md, "Reply in JSON and msgpack"). */
import type { Answer, AnswerBlock, Fill, PlanBlock } from '../query/query.ts'
import { ROW_PRESENT, STATUS_NAMES } from '../query/query.ts'
import { PRESENT } from '../row/layout.ts'
import { ByteWriter } from './byte-writer.ts'
import type { CellWriter, ColumnarFormat } from './columnar-format.ts'
import { defaultRow, hasDefault } from './default-row.ts'
import type { Column } from './reply-columns.ts'
import { RowLanes, cellStatus, columnsOf, hasEventTime } from './reply-columns.ts'

const KEYS = [
  'rows',
  'late',
  'blocks',
  'view',
  'broadcast',
  'features',
  'statuses',
  'event_times',
] as const
type Key = (typeof KEYS)[number]

/** A column as one format writes it. */
type ColumnTemplate = {
  readonly column: Column
  readonly name: Uint8Array
  readonly write: CellWriter
  /** Its declared default, or null. */
  readonly filling: Uint8Array
}
type BlockTemplate = { readonly name: Uint8Array; readonly columns: readonly ColumnTemplate[] }

export class ColumnarReply {
  readonly #format: ColumnarFormat
  readonly #keys: Readonly<Record<Key, Uint8Array>>
  readonly #statuses: readonly Uint8Array[]
  readonly #templates = new WeakMap<PlanBlock, BlockTemplate>()

  constructor(format: ColumnarFormat) {
    this.#format = format
    const keys = KEYS.map((key) => [key, format.encodeText(key)] as const)
    this.#keys = Object.fromEntries(keys) as Record<Key, Uint8Array> // an entry for each of KEYS
    this.#statuses = STATUS_NAMES.map((name) => format.encodeText(name))
  }

  encode(answer: Answer): Uint8Array {
    const format = this.#format
    format.out.reset()
    const rows = new RowLanes(answer.batch.rows)
    format.beginMap(3)
    format.key(this.#keys.rows)
    format.integer(answer.rows)
    format.key(this.#keys.late)
    format.integer(answer.lateCells)
    format.key(this.#keys.blocks)
    format.beginList(answer.blocks.length)
    for (const block of answer.blocks) {
      format.element()
      this.#writeBlock(answer, block, rows)
    }
    format.endList()
    format.endMap()
    return format.out.take()
  }

  #writeBlock(answer: Answer, block: AnswerBlock, rows: RowLanes): void {
    const format = this.#format
    const { name, columns } = this.#templateOf(block.plan)
    const { statuses, eventTimes } = answer.query
    format.beginMap(3 + (statuses ? 1 : 0) + (eventTimes ? 1 : 0))
    format.key(this.#keys.view)
    format.out.raw(name)
    format.key(this.#keys.broadcast)
    format.out.raw(block.broadcast ? format.trueValue : format.falseValue)
    format.key(this.#keys.features)
    format.beginMap(columns.length)
    for (const column of columns) this.#writeValues(answer, block, rows, column)
    format.endMap()
    if (statuses) {
      format.key(this.#keys.statuses)
      format.beginMap(columns.length)
      for (const column of columns) this.#writeStatuses(answer, block, rows, column)
      format.endMap()
    }
    if (eventTimes) this.#writeEventTimes(answer, block)
    format.endMap()
  }

  #writeValues(answer: Answer, block: AnswerBlock, rows: RowLanes, of: ColumnTemplate): void {
    const format = this.#format
    const { out } = format
    const { column, write } = of
    const filling = this.#filling(answer.query.fill, of)
    const { rowStates } = answer
    const { rowStarts } = answer.batch
    format.key(of.name)
    format.beginList(block.rows)
    for (let row = 0; row < block.rows; row++) {
      format.element()
      const place = block.places[row]!
      const start = rowStarts[place]!
      if (rowStates[place] === ROW_PRESENT && rows.bits(start, column) === PRESENT) {
        write(out, rows, start, column)
      } else out.raw(filling)
    }
    format.endList()
  }

  #writeStatuses(answer: Answer, block: AnswerBlock, rows: RowLanes, of: ColumnTemplate): void {
    const format = this.#format
    const defaulted = answer.query.fill === 'default' && hasDefault(block.plan, of.column)
    const { rowStates } = answer
    const { rowStarts } = answer.batch
    format.key(of.name)
    format.beginList(block.rows)
    for (let row = 0; row < block.rows; row++) {
      format.element()
      const place = block.places[row]!
      const state = rowStates[place]!
      const bits = state === ROW_PRESENT ? rows.bits(rowStarts[place]!, of.column) : 0
      format.out.raw(this.#statuses[cellStatus(state, bits, defaulted)]!)
    }
    format.endList()
  }

  #writeEventTimes(answer: Answer, block: AnswerBlock): void {
    const format = this.#format
    format.key(this.#keys.event_times)
    format.beginList(block.rows)
    for (let row = 0; row < block.rows; row++) {
      format.element()
      const place = block.places[row]!
      if (hasEventTime(answer, place)) format.time(answer.batch.times[place]!)
      else format.out.raw(format.nullValue)
    }
    format.endList()
  }

  /** What a cell shows that has no value. */
  #filling(fill: Fill, { column, filling }: ColumnTemplate): Uint8Array {
    const { nullValue, nanValue } = this.#format
    if (fill === 'null') return nullValue
    if (fill === 'default') return filling
    return column.type.name === 'FLOAT' || column.type.name === 'DOUBLE' ? nanValue : nullValue
  }

  #templateOf(plan: PlanBlock): BlockTemplate {
    const known = this.#templates.get(plan)
    if (known !== undefined) return known
    const template = {
      name: this.#format.encodeText(plan.name),
      columns: columnsOf(plan).map((column) => this.#columnTemplate(plan, column)),
    }
    this.#templates.set(plan, template)
    return template
  }

  #columnTemplate(plan: PlanBlock, column: Column): ColumnTemplate {
    const format = this.#format
    const write = format.cellWriter(column.type)
    let filling = format.nullValue
    if (hasDefault(plan, column)) {
      const bytes = new ByteWriter()
      write(bytes, defaultRow(plan), 0, column)
      filling = bytes.take()
    }
    return { column, name: format.encodeText(column.name), write, filling }
  }
}
