/** One look at a batch before it is let in: one that lies about its sizes would spoil what is stored. */
import { Fault } from '../base/fault.ts'
import { KEY_BYTES_MAX, ROW_BYTES_MAX, TIME_US_MAX } from '../base/limits.ts'
import type { WriteBatch } from './write-batch.ts'
import { ENTRY_ROW, ENTRY_TOMBSTONE } from './write-batch.ts'

/** Throws `invalid_row` for the first entry that no store can hold. */
export function checkBatch(batch: WriteBatch): void {
  for (let place = 0; place < batch.count; place++) {
    const wrong = wrongIn(batch, place)
    if (wrong !== '') throw new Fault('invalid_row', wrong, { where: `entry ${place} of a batch` })
  }
}

function wrongIn(batch: WriteBatch, place: number): string {
  const keyStart = batch.keyStarts[place]!
  const keyBytes = batch.keyBytes[place]!
  const rowStart = batch.rowStarts[place]!
  const rowBytes = batch.rowBytes[place]!
  const isRow = batch.kinds[place] === ENTRY_ROW
  if (!isRow && batch.kinds[place] !== ENTRY_TOMBSTONE) return 'neither a row nor a tombstone'
  if (!(Math.abs(batch.times[place]!) <= TIME_US_MAX)) return 'a time that is out of range'
  if (keyBytes > KEY_BYTES_MAX) return `a key of ${keyBytes} bytes, at most ${KEY_BYTES_MAX}`
  if (rowBytes > ROW_BYTES_MAX) return `a row of ${rowBytes} bytes, at most ${ROW_BYTES_MAX}`
  if (((keyStart | rowStart | rowBytes) & 7) !== 0) return 'a key or row out of line'
  if (!isRow && rowBytes !== 0) return 'a tombstone with a row'
  if (keyStart + keyBytes > batch.keys.length || rowStart + rowBytes > batch.rows.length) {
    return 'a key or row beyond the end of its buffer'
  }
  return ''
}
