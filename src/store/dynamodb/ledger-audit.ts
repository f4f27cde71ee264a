/**
 * Whether a ledger says what the table holds: keys of a run's own input are compared as they come, up
 * to LEDGER_AUDIT_KEYS of them. Of a group with more keys than are left it is a random sample. One
 * mismatch ends the run: someone else wrote to the table, and nothing that the ledger says is sure.
 */
import { Fault } from '../../base/fault.ts'
import type { Ledger } from './ledger.ts'
import { REBUILD } from './ledger-file.ts'
import { digest, digestRow, fingerprintHigh, fingerprintLow } from './row-digest.ts'
import type { SeenVersion } from './seen-version.ts'
import type { AuditBudget } from './table-memory.ts'

/** Takes so many keys from the budget. */
export function auditSample(
  keys: number[],
  budget: AuditBudget,
  random: () => number,
): readonly number[] {
  const count = Math.min(budget.left, keys.length)
  budget.left -= count
  if (count === keys.length) return keys
  for (let place = 0; place < count; place++) {
    const other = place + Math.floor(random() * (keys.length - place))
    ;[keys[place], keys[other]] = [keys[other]!, keys[place]!]
  }
  return keys.slice(0, count)
}

/** Throws where the item is not what the ledger says. */
export function checkAudited(
  ledger: Ledger,
  id: string,
  seen: SeenVersion,
  { name }: { readonly name: string },
): void {
  const difference = ledgerDifference(ledger, id, seen)
  if (difference === '') return
  throw new Fault('store_damaged', `the ledger does not say what the table holds: ${difference}`, {
    where: `${name}, entity_id ${id}`,
    allowed: REBUILD,
  })
}

/** '' where ledger and item say the same. */
export function ledgerDifference(ledger: Ledger, id: string, seen: SeenVersion): string {
  ledger.find(fingerprintLow(id), fingerprintHigh(id))
  const isKnown = ledger.kind === 'row'
  if (seen.kind !== 'row') return isKnown ? 'missing in the table' : ''
  if (!isKnown) return 'missing in the ledger'
  if (seen.timeUs !== ledger.timeUs) return 'another time'
  digestRow(id, seen.rows, seen.rowStart, seen.rowBytes)
  const isSame = digest.low === ledger.digestLow && digest.high === ledger.digestHigh
  return isSame ? '' : 'another content'
}
