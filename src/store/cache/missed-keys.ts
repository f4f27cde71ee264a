/** Keys that the cache does not answer, as a batch of their own, and where each came from. */
import { ANSWER_BYTES_KEPT_MAX } from '../../base/limits.ts'
import { ReadBatch } from '../read-batch.ts'

const KEYS_AT_FIRST = 256

export class MissedKeys {
  readonly batch = new ReadBatch(KEYS_AT_FIRST, 16 * 1024, 64 * 1024)
  /** For each key its place in the batch it came from. */
  places = new Uint32Array(KEYS_AT_FIRST)

  /** `askedMs` stands for the time of the read where the store does not say it. */
  add(from: ReadBatch, place: number, askedMs: number): void {
    const { batch } = this
    const bytes = from.keyBytes[place]!
    const start = batch.reserveKey(bytes) >> 2
    const first = from.keyStarts[place]! >> 2
    const words = (bytes + 3) >> 2
    for (let word = 0; word < words; word++) {
      batch.keyWords[start + word] = from.keyWords[first + word]!
    }
    const missed = batch.commitKey(from.tables[place]!, bytes)
    batch.asOfMs[missed] = askedMs
    this.places[missed] = place
  }

  /** Empties it, with room for the places of so many keys. */
  reset(keysMax: number): void {
    this.batch.reset()
    if (keysMax > this.places.length) this.places = new Uint32Array(keysMax)
  }

  /** False once one large request has blown it up. */
  get isWorthKeeping(): boolean {
    return this.batch.rows.length + this.batch.keys.length <= ANSWER_BYTES_KEPT_MAX
  }
}
