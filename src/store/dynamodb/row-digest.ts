/** A key and a row's content as a ledger keeps them: 8 bytes each, as two words. */

/** First 8 bytes of an entity_id, which is 32 hex digits. Never 0 in both words. */
export function fingerprintLow(id: string): number {
  const low = Number.parseInt(id.slice(0, 8), 16) | 0
  return low === 0 && fingerprintHigh(id) === 0 ? 1 : low
}

export const fingerprintHigh = (id: string): number => Number.parseInt(id.slice(8, 16), 16) | 0

const hash = new BigUint64Array(1)
const words = new Int32Array(hash.buffer)

/**
 * The digest of content under a key: `digestLow` and `digestHigh` until the next call. Never 0 in both,
 * which stands for a tombstone. The key goes in as the seed: equal contents of two keys differ.
 */
export const digest = { low: 0, high: 0 }

export function digestRow(id: string, rows: Uint8Array, start: number, bytes: number): void {
  const seed = BigInt(`0x${id.slice(16)}`)
  hash[0] = Bun.hash.xxHash3(rows.subarray(start, start + bytes), seed)
  digest.low = words[0] === 0 && words[1] === 0 ? 1 : words[0]!
  digest.high = words[1]!
}
