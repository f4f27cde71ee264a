/** Versions of some keys, to be written in any order, and what they come to by the order rule. */
import type { SeededRandom } from '../base/seeded-random.ts'
import type { SampleEntry, SampleRow } from './sample-table.ts'

/**
 * For each key versions of different times, so that no tie is left to the order of arrival; some are
 * said more than once, some say at a later time what was so before, some are deletes.
 */
export function makeHistory(
  random: SeededRandom,
  ids: readonly number[],
  deletes: number,
): SampleEntry[] {
  return ids.flatMap((id) => {
    let timeUs = 100
    let value = 0
    const versions = Array.from({ length: 1 + random.below(8) }, (): SampleEntry => {
      timeUs += 1 + random.below(5)
      if (random.chance(deletes)) return { id, timeUs }
      if (random.chance(0.6)) value = random.below(4)
      return { id, timeUs, value, blobBytes: value * 20 }
    })
    return versions.flatMap((version) => (random.chance(0.3) ? [version, version] : [version]))
  })
}

/** What the rule says of a key whatever the order: the content and time of its latest version. */
export function endOf(history: readonly SampleEntry[], id: number): SampleRow | undefined {
  const latest = history
    .filter((entry) => entry.id === id)
    .reduce((best, entry) => (entry.timeUs >= best.timeUs ? entry : best))
  if (latest.value === undefined) return undefined
  return { value: latest.value, blobBytes: latest.blobBytes!, timeUs: latest.timeUs }
}
