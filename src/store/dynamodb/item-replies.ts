/** Items in replies other than BatchGetItem's: the one that a condition met, and a page of a Scan. */
import type { ItemScanner } from './item-scanner.ts'
import {
  CLOSE,
  CLOSE_LIST,
  COLON,
  OPEN_LIST,
  QUOTE,
  WRONG,
  expectByte,
  nextElement,
  nextMember,
  openObject,
  skipSpace,
  skipValue,
  stringEnd,
  stringText,
} from './json-bytes.ts'
import type { RowSpace } from './row-space.ts'

/**
 * Scans the old item in the body of a ConditionalCheckFailedException (`Item`), or in the reply to a
 * write that asked for it (`Attributes`); then the scanner's fields tell of it.
 */
export function scanOldItem(
  body: Uint8Array,
  scanner: ItemScanner,
  space: RowSpace,
): 'found' | 'none' | 'malformed' {
  let found: 'found' | 'none' = 'none'
  scanner.open(body)
  const isWhole = eachMember(body, (name, at) => {
    if (name !== 'Item' && name !== 'Attributes') return skipValue(body, at, 0)
    found = 'found'
    return scanner.scan(at, space)
  })
  return isWhole ? found : 'malformed'
}

export type ScannedPage = {
  /** What `ExclusiveStartKey` of the next page is to be, as JSON; undefined after the last page. */
  readonly lastKey: Uint8Array | undefined
}

/** Scans each item of a Scan's page and calls `visit` after it; undefined for a page cut short. */
export function scanPage(
  body: Uint8Array,
  scanner: ItemScanner,
  space: RowSpace,
  visit: () => void,
): ScannedPage | undefined {
  let lastKey: Uint8Array | undefined
  scanner.open(body)
  const isWhole = eachMember(body, (name, at) => {
    if (name === 'Items') return scanItems(body, at, scanner, space, visit)
    const end = skipValue(body, at, 0)
    if (name === 'LastEvaluatedKey' && end >= 0) lastKey = body.slice(skipSpace(body, at), end)
    return end
  })
  return isWhole ? { lastKey } : undefined
}

function scanItems(
  body: Uint8Array,
  start: number,
  scanner: ItemScanner,
  space: RowSpace,
  visit: () => void,
): number {
  let at = expectByte(body, start, OPEN_LIST)
  at = at < 0 ? WRONG : skipSpace(body, at)
  while (at >= 0 && body[at] !== CLOSE_LIST) {
    at = scanner.scan(at, space)
    if (at < 0) return WRONG
    visit()
    at = nextElement(body, at)
  }
  return at < 0 ? WRONG : at + 1
}

/** `read` gets the offset behind a member's colon, and returns the one behind its value. */
function eachMember(body: Uint8Array, read: (name: string, at: number) => number): boolean {
  let at = openObject(body, 0)
  while (at >= 0 && body[at] !== CLOSE) {
    const start = expectByte(body, at, QUOTE)
    const end = start < 0 ? WRONG : stringEnd(body, start)
    const colon = end < 0 ? WRONG : expectByte(body, end + 1, COLON)
    if (colon < 0) return false
    at = read(stringText(body, start, end), colon)
    at = at < 0 ? WRONG : nextMember(body, at)
  }
  return at >= 0 && skipSpace(body, at + 1) === body.length
}
