/** What a run did, row by row in one word each (design: 5.2), and what each stage took. */
import { OUTCOME } from '../row/order-rule.ts'
import type { WriteBatch } from '../store/write-batch.ts'
import type { SinkOutcomes } from './sink.ts'

/** A write unit of DynamoDB is a kilobyte begun. */
const WRITE_UNIT_BYTES = 1024

export type StageSeconds = {
  /** Waiting for the source. */
  readonly decode: number
  readonly normalise: number
  /** Handing over to the sink, and waiting for it. */
  readonly write: number
  readonly total: number
}

/** read = new + changed + unchanged + refreshed + deleted + older + rejected + unsettled. */
export type Receipt = {
  /** '' for several views together. */
  readonly view: string
  readonly source: string
  readonly dryRun: boolean
  /** Why the run ended before its source did; '' for a whole run. */
  readonly stopped: string
  readonly read: number
  readonly new: number
  readonly changed: number
  /** The touched among them: the same content at a later time. */
  readonly unchanged: number
  readonly touched: number
  readonly refreshed: number
  readonly deleted: number
  readonly older: number
  readonly rejected: number
  /** Of a run that was cut off: rows that were not written, or nobody knows whether they were. */
  readonly unsettled: number
  /** Rows that were stored: new, changed and refreshed ones. */
  readonly written: number
  readonly bytesWritten: number
  /** What DynamoDB charged; 0 for a store that charges nothing. */
  readonly writeUnits: number
  /** What DynamoDB would have charged for the rows that did not have to be written. */
  readonly writeUnitsSaved: number
  readonly seconds: StageSeconds
  readonly rowsPerSecond: number
  /** Columns of the source that the view has no use for. */
  readonly ignoredColumns: readonly string[]
  /** '' where nothing was rejected. */
  readonly rejectsPath: string
}

/** Counts while a run goes on. */
export class Tally {
  read = 0
  rejected = 0
  bytesWritten = 0
  writeUnits = 0
  writeUnitsSaved = 0
  /** By OUTCOME. */
  readonly #outcomes = new Float64Array(Object.keys(OUTCOME).length)

  countRejected(rows: number): void {
    this.rejected += rows
  }

  countOlder(rows: number): void {
    this.#outcomes[OUTCOME.older]! += rows
  }

  countOutcomes(batch: WriteBatch, written: SinkOutcomes): void {
    const { outcomes, bytesWritten, writeUnits, writeUnitsSaved } = written
    let estimate = 0
    for (let place = 0; place < batch.count; place++) {
      const outcome = outcomes[place]!
      if (outcome === OUTCOME.rejected) this.rejected++
      else this.#outcomes[outcome]! += 1
      if (!isWritten(outcome)) estimate += unitsOf(batch, place)
    }
    this.bytesWritten += bytesWritten
    this.writeUnits += writeUnits
    // DynamoDB knows its items' sizes; of any other store it is told what DynamoDB would have taken.
    this.writeUnitsSaved += writeUnits + writeUnitsSaved > 0 ? writeUnitsSaved : estimate
  }

  /** Rows with an outcome. */
  get settled(): number {
    return this.#outcomes.reduce((sum, rows) => sum + rows, 0)
  }

  of(outcome: keyof typeof OUTCOME): number {
    return this.#outcomes[OUTCOME[outcome]]!
  }
}

const isWritten = (outcome: number): boolean =>
  outcome === OUTCOME.new ||
  outcome === OUTCOME.changed ||
  outcome === OUTCOME.refreshed ||
  outcome === OUTCOME.deleted ||
  outcome === OUTCOME.rejected

const unitsOf = (batch: WriteBatch, place: number): number =>
  Math.ceil((batch.keyBytes[place]! + batch.rowBytes[place]!) / WRITE_UNIT_BYTES)

export type RunFacts = Pick<
  Receipt,
  'view' | 'source' | 'dryRun' | 'stopped' | 'ignoredColumns' | 'rejectsPath'
> & { readonly seconds: StageSeconds }

export function makeReceipt(facts: RunFacts, tally: Tally): Receipt {
  const { read, rejected, bytesWritten, writeUnits, writeUnitsSaved } = tally
  const unsettled = read - rejected - tally.settled
  const written = tally.of('new') + tally.of('changed') + tally.of('refreshed')
  return {
    ...facts,
    read,
    new: tally.of('new'),
    changed: tally.of('changed'),
    unchanged: tally.of('unchanged') + tally.of('touched'),
    touched: tally.of('touched'),
    refreshed: tally.of('refreshed'),
    deleted: tally.of('deleted'),
    older: tally.of('older'),
    rejected,
    unsettled,
    written: facts.dryRun ? 0 : written,
    bytesWritten: facts.dryRun ? 0 : bytesWritten,
    writeUnits: facts.dryRun ? 0 : writeUnits,
    writeUnitsSaved,
    rowsPerSecond: rate(read, facts.seconds.total),
  }
}

const rate = (rows: number, seconds: number): number =>
  seconds > 0 ? Math.round(rows / seconds) : 0

/** Of a run that failed before it could begin. */
export function notBegun(facts: Pick<RunFacts, 'view' | 'source' | 'dryRun' | 'stopped'>): Receipt {
  const seconds = { decode: 0, normalise: 0, write: 0, total: 0 }
  return makeReceipt({ ...facts, ignoredColumns: [], rejectsPath: '', seconds }, new Tally())
}

/** Several views' receipts as one. */
export function combineReceipts(receipts: readonly Receipt[]): Receipt {
  const sum = (count: (receipt: Receipt) => number): number =>
    receipts.reduce((total, receipt) => total + count(receipt), 0)
  const total = sum(({ seconds }) => seconds.total)
  return {
    view: '',
    source: '',
    dryRun: receipts.some(({ dryRun }) => dryRun),
    stopped: receipts.find(({ stopped }) => stopped !== '')?.stopped ?? '',
    read: sum(({ read }) => read),
    new: sum((receipt) => receipt.new),
    changed: sum(({ changed }) => changed),
    unchanged: sum(({ unchanged }) => unchanged),
    touched: sum(({ touched }) => touched),
    refreshed: sum(({ refreshed }) => refreshed),
    deleted: sum(({ deleted }) => deleted),
    older: sum(({ older }) => older),
    rejected: sum(({ rejected }) => rejected),
    unsettled: sum(({ unsettled }) => unsettled),
    written: sum(({ written }) => written),
    bytesWritten: sum(({ bytesWritten }) => bytesWritten),
    writeUnits: sum(({ writeUnits }) => writeUnits),
    writeUnitsSaved: sum(({ writeUnitsSaved }) => writeUnitsSaved),
    seconds: {
      decode: sum(({ seconds }) => seconds.decode),
      normalise: sum(({ seconds }) => seconds.normalise),
      write: sum(({ seconds }) => seconds.write),
      total,
    },
    rowsPerSecond: rate(
      sum(({ read }) => read),
      total,
    ),
    ignoredColumns: [...new Set(receipts.flatMap(({ ignoredColumns }) => ignoredColumns))],
    rejectsPath: receipts.find(({ rejectsPath }) => rejectsPath !== '')?.rejectsPath ?? '',
  }
}
