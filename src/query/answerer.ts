/** From a plan and entity values to an Answer: keys into the store, each distinct one once; rows, states. */
import { Fault } from '../base/fault.ts'
import {
  ANSWER_BYTES_KEPT_MAX,
  CELLS_PER_REQUEST_MAX,
  ENTITIES_PER_REQUEST_MAX,
  WORKSPACES_BYTES_KEPT_MAX,
} from '../base/limits.ts'
import type { FeatureView, PlainValue } from '../catalog/catalog.ts'
import type { KeyWriter } from '../row/entity-key.ts'
import { makeKeyWriter } from '../row/entity-key.ts'
import { FOUND, MISSING } from '../store/read-batch.ts'
import type { RowReader } from '../store/store.ts'
import { Workspace } from './workspace.ts'
import type { Answer, AnswerBlock, EntityColumn, Plan, PlanBlock, Query } from './query.ts'
import { ROW_LATE, ROW_NOT_FOUND, ROW_OUTSIDE_MAX_AGE, ROW_PRESENT } from './query.ts'
import { RowAligner } from './row-aligner.ts'

export class Answerer {
  readonly #store: RowReader
  readonly #nowUs: () => number
  readonly #aligner: RowAligner
  readonly #writers = new WeakMap<FeatureView, KeyWriter>()
  /** Buffers that no request holds, at most WORKSPACES_BYTES_KEPT_MAX together. */
  readonly #idle: Workspace[] = []
  #idleBytes = 0

  constructor(store: RowReader, nowUs: () => number) {
    this.#store = store
    this.#nowUs = nowUs
    this.#aligner = new RowAligner(store)
  }

  /**
   * Calls `use` once with the answer: before it returns, if the store does not wait. The answer's
   * buffers serve other requests afterwards, so what `use` returns must hold none of them. Once
   * `gone` is aborted nobody waits for the answer, and a store that waits is let off.
   */
  answer<T>(
    plan: Plan,
    query: Query,
    use: (answer: Answer) => T,
    gone?: AbortSignal,
  ): T | Promise<T> {
    const work = this.#takeIdle()
    const untilMs = performance.now() + query.deadlineMs
    const rows = rowsOf(query.columns)
    const blocks = this.#writeKeys(plan, query.columns, rows, work)
    const finish = (): T => {
      this.#judgeRows(blocks, work)
      const value = use(answerOf(plan, query, rows, blocks, work))
      // Not reached on a failure: such buffers are let go.
      this.#keep(work)
      return value
    }
    const reading = this.#store.readMany(work.batch, untilMs, gone)
    return reading === undefined ? finish() : reading.then(finish)
  }

  #takeIdle(): Workspace {
    const work = this.#idle.pop()
    if (work === undefined) return new Workspace()
    this.#idleBytes -= work.byteLength
    return work
  }

  #keep(work: Workspace): void {
    const bytes = work.byteLength
    if (bytes > ANSWER_BYTES_KEPT_MAX) return // one large request has blown it up
    if (this.#idleBytes + bytes > WORKSPACES_BYTES_KEPT_MAX) return
    this.#idle.push(work)
    this.#idleBytes += bytes
  }

  #writeKeys(
    plan: Plan,
    columns: readonly EntityColumn[],
    rows: number,
    work: Workspace,
  ): AnswerBlock[] {
    const inputs = plan.blocks.map((block) => inputsOf(block, columns))
    const counts = inputs.map((values) => (values.every(isConstant) ? 1 : rows))
    assertCells(plan, counts)
    work.reset(counts.reduce((sum, count) => sum + count, 0))
    return plan.blocks.map((block, index) => {
      const rowCount = counts[index]!
      work.firstPlaces.push(work.batch.count)
      const places = work.takePlaces(rowCount)
      if (block.keys.length === 0) places[0] = writeConstantKey(block, work)
      else writeRowKeys(block, inputs[index]!, this.#writerOf(block.view), places, work)
      return { plan: block, broadcast: inputs[index]!.every(isConstant), rows: rowCount, places }
    })
  }

  #writerOf(view: FeatureView): KeyWriter {
    let writer = this.#writers.get(view)
    if (writer === undefined) {
      writer = makeKeyWriter(view.joinKeys)
      this.#writers.set(view, writer)
    }
    return writer
  }

  /** Brings every row into its block's layout and says what became of it. */
  #judgeRows(blocks: readonly AnswerBlock[], work: Workspace): void {
    const nowUs = this.#nowUs()
    blocks.forEach((block, index) => {
      const first = work.firstPlaces[index]!
      const end = work.firstPlaces[index + 1] ?? work.batch.count
      this.#aligner.align(block.plan.layout, work.batch, first, end)
      judgePlaces(block.plan.view.ttlUs, nowUs, work, first, end)
    })
  }
}

/** Length of the longest column; all others have that length too, or one value. One without columns. */
function rowsOf(columns: readonly EntityColumn[]): number {
  if (columns.length === 0) return 1
  const rows = columns.reduce((most, { values }) => Math.max(most, values.length), 0)
  if (rows > ENTITIES_PER_REQUEST_MAX) {
    throw new Fault('too_large', `${rows} rows are asked for in one request`, {
      where: 'entities',
      allowed: `at most ${ENTITIES_PER_REQUEST_MAX} rows`,
    })
  }
  const uneven = columns.find(({ values }) => values.length !== rows && values.length !== 1)
  if (uneven === undefined) return rows
  const lengths = columns.map(({ name, values }) => `${name} has ${values.length}`).join(', ')
  throw new Fault('invalid_request', `entity columns differ in length: ${lengths}`, {
    where: `entities.${uneven.name}`,
    allowed: `${rows} values, or one that stands for every row`,
  })
}

/** Where a service is asked for, only its plan tells how many features that is. */
function assertCells(plan: Plan, counts: readonly number[]): void {
  const cells = plan.blocks.reduce(
    (sum, { features }, at) => sum + features.length * counts[at]!,
    0,
  )
  if (cells <= CELLS_PER_REQUEST_MAX) return
  throw new Fault('too_large', `${cells} values are asked for in one request`, {
    where: 'entities',
    allowed: `at most ${CELLS_PER_REQUEST_MAX} values: ask in parts`,
  })
}

const isConstant = (values: readonly PlainValue[]): boolean => values.length === 1

/** The values of a block's keys, in key order. */
function inputsOf(
  block: PlanBlock,
  columns: readonly EntityColumn[],
): readonly (readonly PlainValue[])[] {
  return block.keys.map((key) => {
    for (const column of columns) if (column.name === key.column) return column.values
    const needed = block.keys.map(({ column }) => column).join(', ')
    const given = columns.map(({ name }) => name).join(', ')
    throw new Fault('missing_entity', `feature view "${block.name}" needs ${needed}`, {
      where: `entities.${key.column}`,
      allowed: given === '' ? 'none was given' : `given: ${given}`,
    })
  })
}

function writeConstantKey(block: PlanBlock, work: Workspace): number {
  const start = work.reserveKey()
  work.batch.keys.set(block.constantKey, start)
  return work.commitKey(block.table, block.constantKey.length)
}

function writeRowKeys(
  block: PlanBlock,
  inputs: readonly (readonly PlainValue[])[],
  writer: KeyWriter,
  places: Uint32Array,
  work: Workspace,
): void {
  const { table } = block
  const key: PlainValue[] = inputs.map((values) => values[0] ?? null)
  for (let row = 0; row < places.length; row++) {
    for (let part = 0; part < key.length; part++) {
      const values = inputs[part]!
      if (values.length !== 1) key[part] = values[row]!
    }
    const start = work.reserveKey()
    let bytes: number
    try {
      bytes = writer.write(key, work.batch.keys, start)
    } catch (cause) {
      throw cause instanceof Fault ? placed(cause, block, inputs, row) : cause
    }
    places[row] = work.commitKey(table, bytes)
  }
}

/** The fault of a key's part, told in terms of the request. */
function placed(
  fault: Fault,
  block: PlanBlock,
  inputs: readonly (readonly PlainValue[])[],
  row: number,
): Fault {
  const part = block.keys.findIndex(({ name }) => name === fault.where)
  if (part === -1) return fault
  const index = isConstant(inputs[part]!) ? 0 : row
  return new Fault(fault.code, fault.message, {
    where: `entities.${block.keys[part]!.column}[${index}]`,
    allowed: fault.allowed,
    cause: fault,
  })
}

function judgePlaces(
  ttlUs: number,
  nowUs: number,
  work: Workspace,
  first: number,
  end: number,
): void {
  const { states, times } = work.batch
  const { rowStates } = work
  for (let place = first; place < end; place++) {
    const state = states[place]
    if (state === FOUND) {
      const expired = ttlUs !== 0 && nowUs - times[place]! > ttlUs
      rowStates[place] = expired ? ROW_OUTSIDE_MAX_AGE : ROW_PRESENT
    } else rowStates[place] = state === MISSING ? ROW_NOT_FOUND : ROW_LATE
  }
}

function answerOf(
  plan: Plan,
  query: Query,
  rows: number,
  blocks: readonly AnswerBlock[],
  work: Workspace,
): Answer {
  const { batch, rowStates } = work
  let lateCells = 0
  for (const { places, plan: block } of blocks) {
    for (let row = 0; row < places.length; row++) {
      if (rowStates[places[row]!] === ROW_LATE) lateCells += block.features.length
    }
  }
  return { plan, query, rows, blocks, batch, rowStates, lateCells, staleRows: batch.staleRows }
}
