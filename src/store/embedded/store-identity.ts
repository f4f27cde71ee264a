/** The STORE file: which store this is, and the seed of its hashes. Written once. */
import { Fault } from '../../base/fault.ts'
import { decodeCheckedJson, encodeCheckedJson } from './checked-json.ts'
import type { Disk } from './disk.ts'
import { readWhole, replaceWhole } from './disk.ts'
import { LOG_FORMAT, STORE_ID_BYTES } from './segment.ts'

export type StoreIdentity = {
  readonly storeId: Uint8Array
  readonly hashSeed: number
}

/** What the file holds, as JSON. */
type StoreFile = { readonly format: number; readonly storeId: string; readonly hashSeed: number }

const NAME = 'STORE'

/** Undefined if there is no such file. */
export function readIdentity(disk: Disk, directory: string): StoreIdentity | undefined {
  if (disk.names(directory)?.includes(NAME) !== true) return undefined
  const where = `${directory}/${NAME}`
  const stored = decodeCheckedJson(readWhole(disk, where)) as StoreFile | undefined // under a checksum
  if (stored === undefined) {
    throw new Fault('store_damaged', 'the file that names the store is damaged', { where })
  }
  if (stored.format !== LOG_FORMAT) {
    // Nothing is wrong with the store: it is the wrong program for it.
    const what = `store format ${stored.format} is unknown to this program: a newer version made it`
    throw new Fault('usage', what, { where, allowed: `format ${LOG_FORMAT}` })
  }
  return { storeId: Uint8Array.fromHex(stored.storeId), hashSeed: stored.hashSeed }
}

export function createIdentity(disk: Disk, directory: string): StoreIdentity {
  const storeId = crypto.getRandomValues(new Uint8Array(STORE_ID_BYTES))
  const hashSeed = crypto.getRandomValues(new Uint32Array(1))[0]!
  const stored: StoreFile = { format: LOG_FORMAT, storeId: storeId.toHex(), hashSeed }
  replaceWhole(disk, directory, NAME, encodeCheckedJson(stored))
  return { storeId, hashSeed }
}
