/** The declared defaults of a block's asked features, as a row: each format writes them as it writes any cell. */
import type { PlanBlock } from '../query/query.ts'
import { PRESENT } from '../row/layout.ts'
import { RowWriter } from '../row/row-writer.ts'
import type { Column } from './reply-columns.ts'
import { RowLanes, columnsOf } from './reply-columns.ts'

const rows = new WeakMap<PlanBlock, RowLanes>()

/** A row in the block's layout in which an asked feature is present if it has a default. */
export function defaultRow(plan: PlanBlock): RowLanes {
  const known = rows.get(plan)
  if (known !== undefined) return known
  const row = new RowLanes(makeDefaultRow(plan))
  rows.set(plan, row)
  return row
}

export const hasDefault = (plan: PlanBlock, column: Column): boolean =>
  defaultRow(plan).bits(0, column) === PRESENT

function makeDefaultRow(plan: PlanBlock): Uint8Array {
  const writer = new RowWriter(plan.layout)
  writer.begin(-Infinity)
  for (const { position } of columnsOf(plan)) {
    const { defaultValue } = plan.view.features[position]!
    if (defaultValue !== undefined && defaultValue !== null) writer.set(position, defaultValue)
  }
  const bytes = new Uint8Array(writer.byteLength)
  writer.finish(bytes, 0)
  return bytes
}
