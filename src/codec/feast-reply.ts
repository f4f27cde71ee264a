/** The reply of POST /get-online-features: a column for each join key and feature, written as bytes. */
import { utf8Encoder } from '../base/utf8.ts'
import type { PlainValue } from '../catalog/catalog.ts'
import type { FeastPlan } from '../query/feast-plan.ts'
import type { Answer, AnswerBlock } from '../query/query.ts'
import { ROW_LATE, ROW_NOT_FOUND, ROW_OUTSIDE_MAX_AGE, ROW_PRESENT } from '../query/query.ts'
import { ABSENT, PRESENT } from '../row/layout.ts'
import { ByteWriter } from './byte-writer.ts'
import type { CellWriter } from './columnar-format.ts'
import { feastCellWriter } from './feast-cells.ts'
import { writePlain } from './json-text.ts'
import type { PythonValue } from './python-json.ts'
import { pythonJsonText } from './python-json.ts'
import type { Column } from './reply-columns.ts'
import { RowLanes, columnsOf } from './reply-columns.ts'
import { writeTimeText } from './time-bytes.ts'

/** A join key's column: as converted to its type, or as it came where no asked view has the key. */
export type EchoColumn =
  { readonly typed: readonly PlainValue[] } | { readonly untouched: readonly PythonValue[] }

export type FeastAnswer = {
  readonly plan: FeastPlan
  readonly answer: Answer
  /** Rows of the request. */
  readonly rows: number
  /** Parallel to the plan's echoes. */
  readonly echoes: readonly EchoColumn[]
  /** Feast serves a row past its ttl; where that is enforced its values are withheld. */
  readonly enforceTtl: boolean
  readonly versionMetadata: boolean
}

const text = (ascii: string): Uint8Array => utf8Encoder.encode(ascii)
const RESULTS = text('{"results":[')
const VALUES = text('{"values":[')
const STATUSES = text('],"statuses":[')
const TIMES = text('],"event_timestamps":[')
const COLUMN_END = text(']}')
const NULL_TEXT = text('null')
const PRESENT_TEXT = text('"PRESENT"')
const NOT_FOUND_TEXT = text('"NOT_FOUND"')
const OUTSIDE_TEXT = text('"OUTSIDE_MAX_AGE"')
const EPOCH_TEXT = text('"1970-01-01T00:00:00Z"')
const COMMA = 0x2c

type FeatureTemplate = {
  readonly block: number
  readonly column: Column
  readonly write: CellWriter
}
type Template = {
  readonly features: readonly FeatureTemplate[]
  /** What follows the columns, without and with `feature_view_metadata`. */
  readonly end: Uint8Array
  readonly endWithVersions: Uint8Array
}

/** Where in the reply a block's statuses and times were first written: later columns copy them. */
type Written = { statuses: number; statusesEnd: number; times: number; timesEnd: number }
const NOWHERE = -1

export class FeastReplyEncoder {
  readonly #out = new ByteWriter()
  readonly #templates = new WeakMap<FeastPlan, Template>()

  /** A buffer of its own for every reply. */
  encode(of: FeastAnswer): Uint8Array {
    const out = this.#out
    const template = this.#templateOf(of.plan)
    out.reset()
    out.raw(RESULTS)
    of.echoes.forEach((echo, place) => {
      if (place > 0) out.byte(COMMA)
      writeEcho(out, echo, of.rows)
    })
    this.#writeFeatures(of, template)
    out.raw(of.versionMetadata ? template.endWithVersions : template.end)
    return out.take()
  }

  #writeFeatures(of: FeastAnswer, template: Template): void {
    const out = this.#out
    const lanes = new RowLanes(of.answer.batch.rows)
    const written = of.answer.blocks.map(nowhere)
    template.features.forEach((feature, place) => {
      if (place > 0 || of.echoes.length > 0) out.byte(COMMA)
      const block = of.answer.blocks[feature.block]!
      writeFeature(out, of, block, feature, lanes, written[feature.block]!)
    })
  }

  #templateOf(plan: FeastPlan): Template {
    let template = this.#templates.get(plan)
    if (template === undefined) {
      template = makeTemplate(plan)
      this.#templates.set(plan, template)
    }
    return template
  }
}

const nowhere = (): Written => ({
  statuses: NOWHERE,
  statusesEnd: NOWHERE,
  times: NOWHERE,
  timesEnd: NOWHERE,
})

function makeTemplate({ plan, names, echoes }: FeastPlan): Template {
  const features = plan.outputs.map(({ block, place }): FeatureTemplate => {
    const column = columnsOf(plan.blocks[block]!)[place]!
    return { block, column, write: feastCellWriter(column.type) }
  })
  const all = JSON.stringify([...echoes.map((echo) => echo.name), ...names])
  const views = plan.blocks.map(({ view }) =>
    view.version === 0 ? { name: view.name } : { name: view.name, version: view.version },
  )
  const end = `],"metadata":{"feature_names":${all}`
  return {
    features,
    end: text(`${end}}}`),
    endWithVersions: text(`${end},"feature_view_metadata":${JSON.stringify(views)}}}`),
  }
}

function writeEcho(out: ByteWriter, echo: EchoColumn, rows: number): void {
  out.raw(VALUES)
  if ('typed' in echo) {
    for (let row = 0; row < rows; row++) {
      if (row > 0) out.byte(COMMA)
      writePlain(out, echo.typed[row]!)
    }
  } else {
    out.raw(text(echo.untouched.map((value) => pythonJsonText(value)).join(',')))
  }
  out.raw(STATUSES)
  writeRepeated(out, PRESENT_TEXT, rows)
  out.raw(TIMES)
  writeRepeated(out, EPOCH_TEXT, rows)
  out.raw(COLUMN_END)
}

function writeRepeated(out: ByteWriter, element: Uint8Array, count: number): void {
  for (let row = 0; row < count; row++) {
    if (row > 0) out.byte(COMMA)
    out.raw(element)
  }
}

function writeFeature(
  out: ByteWriter,
  of: FeastAnswer,
  block: AnswerBlock,
  feature: FeatureTemplate,
  lanes: RowLanes,
  written: Written,
): void {
  out.raw(VALUES)
  const absentCells = writeValues(out, of, block, feature, lanes)
  out.raw(STATUSES)
  if (absentCells > 0) writeStatuses(out, of, block, feature.column, lanes)
  else if (written.statuses === NOWHERE) {
    written.statuses = out.at
    writeStatuses(out, of, block, feature.column, lanes)
    written.statusesEnd = out.at
  } else copyWithin(out, written.statuses, written.statusesEnd)
  out.raw(TIMES)
  if (written.times === NOWHERE) {
    written.times = out.at
    writeTimes(out, of, block)
    written.timesEnd = out.at
  } else copyWithin(out, written.times, written.timesEnd)
  out.raw(COLUMN_END)
}

function copyWithin(out: ByteWriter, start: number, end: number): void {
  const at = out.reserve(end - start)
  out.bytes.copyWithin(at, start, end)
  out.at = at + end - start
}

const hasValues = (state: number, enforceTtl: boolean): boolean =>
  state === ROW_PRESENT || (state === ROW_OUTSIDE_MAX_AGE && !enforceTtl)

const placeOf = (block: AnswerBlock, row: number): number =>
  block.places[block.broadcast ? 0 : row]!

/** Returns the number of cells whose row has no such feature. */
function writeValues(
  out: ByteWriter,
  { answer, rows, enforceTtl }: FeastAnswer,
  block: AnswerBlock,
  { column, write }: FeatureTemplate,
  lanes: RowLanes,
): number {
  const { rowStates } = answer
  const { rowStarts } = answer.batch
  let absentCells = 0
  for (let row = 0; row < rows; row++) {
    if (row > 0) out.byte(COMMA)
    const place = placeOf(block, row)
    const start = rowStarts[place]!
    const bits = hasValues(rowStates[place]!, enforceTtl) ? lanes.bits(start, column) : NO_BITS
    if (bits === PRESENT) write(out, lanes, start, column)
    else out.raw(NULL_TEXT)
    if (bits === ABSENT) absentCells++
  }
  return absentCells
}

/** Of a row without values. */
const NO_BITS = -1

function writeStatuses(
  out: ByteWriter,
  { answer, rows, enforceTtl }: FeastAnswer,
  block: AnswerBlock,
  column: Column,
  lanes: RowLanes,
): void {
  const { rowStates } = answer
  const { rowStarts } = answer.batch
  for (let row = 0; row < rows; row++) {
    if (row > 0) out.byte(COMMA)
    const place = placeOf(block, row)
    const state = rowStates[place]!
    if (hasValues(state, enforceTtl)) {
      // A stored null is PRESENT to Feast.
      const isAbsent = lanes.bits(rowStarts[place]!, column) === ABSENT
      out.raw(isAbsent ? NOT_FOUND_TEXT : PRESENT_TEXT)
    } else out.raw(state === ROW_OUTSIDE_MAX_AGE ? OUTSIDE_TEXT : NOT_FOUND_TEXT)
  }
}

function writeTimes(out: ByteWriter, { answer, rows }: FeastAnswer, block: AnswerBlock): void {
  const { rowStates } = answer
  const { times } = answer.batch
  for (let row = 0; row < rows; row++) {
    if (row > 0) out.byte(COMMA)
    const place = placeOf(block, row)
    const state = rowStates[place]!
    if (state === ROW_NOT_FOUND || state === ROW_LATE) out.raw(EPOCH_TEXT)
    else writeTimeText(out, times[place]!)
  }
}
