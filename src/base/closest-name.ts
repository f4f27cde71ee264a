/** "Did you mean": the known name that an unknown one was most likely meant to be. */

/** Names longer than this are compared by their beginnings: the table below stays small. */
const COMPARED_MAX = 64

/** Undefined where no name is near: more than a third of the letters differ. */
export function closestName(unknown: string, known: Iterable<string>): string | undefined {
  const asked = unknown.slice(0, COMPARED_MAX).toLowerCase()
  let closest: string | undefined
  let fewest = Math.floor(Math.max(asked.length, 3) / 3) + 1
  for (const name of known) {
    const edits = editDistance(asked, name.slice(0, COMPARED_MAX).toLowerCase(), fewest)
    if (edits < fewest) {
      fewest = edits
      closest = name
    }
  }
  return closest
}

/** Insertions, deletions, replacements and swaps of neighbours; `limit` if there are that many. */
function editDistance(left: string, right: string, limit: number): number {
  if (Math.abs(left.length - right.length) >= limit) return limit
  let beforeLast: number[] = []
  let last = Array.from({ length: right.length + 1 }, (_, index) => index)
  for (let i = 1; i <= left.length; i++) {
    const row = [i]
    for (let j = 1; j <= right.length; j++) {
      const same = left[i - 1] === right[j - 1]
      let edits = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (same ? 0 : 1))
      const swapped = i > 1 && j > 1 && left[i - 1] === right[j - 2] && left[i - 2] === right[j - 1]
      if (swapped) edits = Math.min(edits, beforeLast[j - 2]! + 1)
      row.push(edits)
    }
    beforeLast = last
    last = row
  }
  return Math.min(last[right.length]!, limit)
}
