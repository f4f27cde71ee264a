/** Receipts for people, and as JSON for scripts. */
import type { Receipt } from './receipt.ts'

const COUNT = new Intl.NumberFormat('en-US')
const NOTES = {
  read: '',
  new: 'no row was there',
  changed: 'other content',
  unchanged: 'the same content',
  refreshed: 'the same content, written again for its time',
  deleted: 'the row is gone, or none was there',
  older: 'a later version is stored, or came in this run',
  rejected: '',
  unsettled: 'not written, or not known to be: the same run again settles them',
} as const
/** Told only where there are any. */
const RARE: ReadonlySet<string> = new Set<keyof typeof NOTES>(['refreshed', 'deleted', 'unsettled'])
const BYTE_UNITS = ['B', 'KB', 'MB', 'GB', 'TB'] as const

/** A table of the counts, then what they cost. */
export function receiptText(receipt: Receipt): string {
  const counts = (Object.keys(NOTES) as (keyof typeof NOTES)[]).filter(
    (name) => !RARE.has(name) || receipt[name] > 0,
  )
  const texts = counts.map((name) => COUNT.format(receipt[name]))
  const width = Math.max(...texts.map((text) => text.length))
  const lines = counts.map((name, place) =>
    `  ${name.padEnd(9)}  ${texts[place]!.padStart(width)}  ${noteOf(name, receipt)}`.trimEnd(),
  )
  return [headline(receipt), ...lines, ...costs(receipt), ...remarks(receipt)].join('\n') + '\n'
}

function headline({ view, source, dryRun }: Receipt): string {
  const what = view === '' ? 'all views' : `${view} from ${source}`
  return dryRun ? `${what} (dry run: nothing was written)` : what
}

function noteOf(name: keyof typeof NOTES, receipt: Receipt): string {
  if (name === 'unchanged' && receipt.touched > 0) {
    return `${NOTES.unchanged}; of ${COUNT.format(receipt.touched)} the time advanced`
  }
  if (name === 'rejected' && receipt.rejectsPath !== '') return `see ${receipt.rejectsPath}`
  return receipt[name] === 0 ? '' : NOTES[name]
}

function costs(receipt: Receipt): string[] {
  const { seconds, written, bytesWritten, writeUnits, writeUnitsSaved, rowsPerSecond } = receipt
  const spent = writeUnits > 0 ? `; write units: ${COUNT.format(writeUnits)}` : ''
  return [
    `  written: ${COUNT.format(written)} rows, ${bytesText(bytesWritten)}${spent}; write units saved: ${COUNT.format(writeUnitsSaved)}`,
    `  ${seconds.total.toFixed(2)} s: decode ${seconds.decode.toFixed(2)}, normalise ${seconds.normalise.toFixed(2)}, write ${seconds.write.toFixed(2)}; ${COUNT.format(rowsPerSecond)} rows/s`,
  ]
}

function remarks({ ignoredColumns, stopped }: Receipt): string[] {
  const lines: string[] = []
  if (ignoredColumns.length > 0) lines.push(`  columns not used: ${ignoredColumns.join(', ')}`)
  if (stopped !== '') lines.push(`  stopped: ${stopped}`)
  return lines
}

export function bytesText(bytes: number): string {
  const power = bytes < 1000 ? 0 : Math.floor(Math.log10(bytes) / 3)
  return `${(bytes / 1000 ** power).toFixed(power === 0 ? 0 : 1)} ${BYTE_UNITS[power]}`
}

/** Keys of the receipt's JSON are fixed: scripts read them. */
export const receiptJson = (receipt: Receipt): { readonly [key: string]: unknown } => ({
  view: receipt.view,
  source: receipt.source,
  dry_run: receipt.dryRun,
  stopped: receipt.stopped,
  read: receipt.read,
  new: receipt.new,
  changed: receipt.changed,
  unchanged: receipt.unchanged,
  touched: receipt.touched,
  refreshed: receipt.refreshed,
  deleted: receipt.deleted,
  older: receipt.older,
  rejected: receipt.rejected,
  unsettled: receipt.unsettled,
  written: receipt.written,
  bytes_written: receipt.bytesWritten,
  write_units: receipt.writeUnits,
  write_units_saved: receipt.writeUnitsSaved,
  seconds: receipt.seconds,
  rows_per_second: receipt.rowsPerSecond,
  ignored_columns: receipt.ignoredColumns,
  rejects_path: receipt.rejectsPath,
})
