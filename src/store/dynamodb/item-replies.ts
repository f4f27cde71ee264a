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

/** Scans each item of the list at `start` and calls `visit` after it; returns the offset behind it. */
export function scanItems(
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

function eachMember(body: Uint8Array, read: (name: string, at: number) => number): boolean {
  const end = readMembers(body, 0, read)
  return end >= 0 && skipSpace(body, end) === body.length
}

/**
 * Walks over the members of the object at `start` and returns the offset behind it. `read` gets the
 * offset behind a member's colon, and returns the one behind its value.
 */
export function readMembers(
  body: Uint8Array,
  start: number,
  read: (name: string, at: number) => number,
): number {
  let at = openObject(body, start)
  while (at >= 0 && body[at] !== CLOSE) {
    const nameStart = expectByte(body, at, QUOTE)
    const nameEnd = nameStart < 0 ? WRONG : stringEnd(body, nameStart)
    const colon = nameEnd < 0 ? WRONG : expectByte(body, nameEnd + 1, COLON)
    if (colon < 0) return WRONG
    at = read(stringText(body, nameStart, nameEnd), colon)
    at = at < 0 ? WRONG : nextMember(body, at)
  }
  return at < 0 ? WRONG : at + 1
}
