/** Text as UTF-8 bytes: one encoder, one decoder, and the order of the bytes. */

export const utf8Encoder = new TextEncoder()

/** Keeps a leading byte order mark: it is part of the text. Faulty bytes read as U+FFFD. */
export const utf8Decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** Surrogates stand for code points above the rest of UTF-16's units: moves them there. */
const unitRank = (unit: number): number =>
  unit < 0xd800 ? unit : unit < 0xe000 ? unit + 0x2000 : unit - 0x800

/** Order of two texts by their UTF-8 bytes, which is the order by code points. */
export function compareUtf8(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length)
  for (let place = 0; place < shorter; place++) {
    const unitA = a.charCodeAt(place)
    const unitB = b.charCodeAt(place)
    if (unitA !== unitB) return unitRank(unitA) - unitRank(unitB)
  }
  return a.length - b.length
}
