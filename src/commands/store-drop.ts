/** `salver store drop`: forgets a table and its rows, or says what it would forget. */
import { closestName } from '../base/closest-name.ts'
import { Fault } from '../base/fault.ts'
import { didYouMean } from '../cli/did-you-mean.ts'
import type { StoreDropCommand } from '../cli/command.ts'
import type { Io } from '../cli/io.ts'
import type { TableDescription } from '../store/store.ts'
import { counted } from './counted.ts'
import { withStore } from './open-data.ts'
import { tableLabel } from './table-label.ts'

export function runStoreDrop({ dataDir, table, yes }: StoreDropCommand, io: Io): Promise<number> {
  return withStore(dataDir, yes ? 'write' : 'read', async (store) => {
    const found = findTable(store.stats().tables, table)
    const label = tableLabel(found)
    if (yes) {
      io.out(`dropped ${label}: ${counted(await store.dropTable(found.table), 'row')}\n`)
    } else {
      io.out(`would drop ${label}: ${counted(found.rows, 'row')}; give --yes to do it\n`)
    }
    return 0
  })
}

/** By its name, or by its label where the name alone does not tell. */
function findTable(tables: readonly TableDescription[], asked: string): TableDescription {
  const named = tables.filter((table) => table.name === asked || tableLabel(table) === asked)
  const [only, ...others] = named
  if (only !== undefined && others.length === 0) return only
  const labels = (named.length === 0 ? tables : named).map(tableLabel)
  const meant = closestName(
    asked,
    tables.map(({ name }) => name),
  )
  const message =
    named.length > 0
      ? `${named.length} tables have the name ${asked}`
      : `there is no table ${asked}${didYouMean(meant)}`
  throw new Fault('usage', message, { where: '--table', allowed: labels.join(', ') || 'none' })
}
