/** `salver store verify`: do log, index and served values say the same? Changes nothing. */
import type { StoreCommand } from '../cli/command.ts'
import type { Io } from '../cli/io.ts'
import { verifyStore } from '../store/embedded/embedded-store.ts'
import type { VerifyReport } from '../store/embedded/verify-store.ts'
import { counted } from './counted.ts'
import { requireStore } from './open-data.ts'

/** Exit code 1 where anything is damaged: every place of it is in the answer. */
export async function runStoreVerify({ dataDir, json }: StoreCommand, io: Io): Promise<number> {
  requireStore(dataDir)
  const report = verifyStore(dataDir)
  io.out(json ? `${JSON.stringify(reportToJson(report))}\n` : reportText(report))
  return report.damages.length === 0 ? 0 : 1
}

const reportToJson = ({ damages, notes, segments, rows, tombstones }: VerifyReport) => ({
  ok: damages.length === 0,
  damages,
  notes,
  segments,
  rows,
  tombstones,
})

function reportText({ damages, notes, segments, rows, tombstones }: VerifyReport): string {
  const held = [
    counted(rows, 'row'),
    counted(tombstones, 'tombstone'),
    counted(segments, 'segment'),
  ].join(', ')
  return [
    ...damages.map(({ file, offset, what }) => `damaged: ${file} at ${offset}: ${what}\n`),
    ...notes.map((note) => `note: ${note}\n`),
    `${held}; ${damages.length === 0 ? 'no damage' : counted(damages.length, 'damage')}\n`,
  ].join('')
}
