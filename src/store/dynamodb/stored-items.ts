/** Items in replies, as versions under their keys, in the layout of a table. */
import { grown } from '../../base/grown.ts'
import { utf8Decoder } from '../../base/utf8.ts'
import type { Layout } from '../../row/layout.ts'
import { DynamoFailure } from './dynamo-failure.ts'
import { readMembers, scanItems, scanOldItem, scanPage } from './item-replies.ts'
import { ItemScanner } from './item-scanner.ts'
import { skipValue } from './json-bytes.ts'
import type { RowSpace } from './row-space.ts'
import { makeScanCounters } from './scan-counters.ts'
import { SeenVersion } from './seen-version.ts'

/** Rows of some replies, one behind the other. */
export class StoredRows implements RowSpace {
  rows = new Uint8Array(4096)
  rowWords = new Uint32Array(this.rows.buffer)
  rowsUsed = 0

  reserveRow(bytes: number): number {
    const start = this.rowsUsed
    const end = start + bytes
    if (end > this.rows.length) {
      this.rows = grown(this.rows, new Uint8Array((Math.max(end, this.rows.length * 2) + 7) & ~7))
      this.rowWords = new Uint32Array(this.rows.buffer)
    }
    this.rowsUsed = end
    return start
  }
}

export class StoredItems {
  readonly #layout: Layout
  readonly #scanner: ItemScanner
  readonly counters = makeScanCounters()

  constructor(layout: Layout) {
    this.#layout = layout
    this.#scanner = new ItemScanner(layout, this.counters)
  }

  /**
   * Reads the reply of a BatchGetItem of one table into `versions`, which stand under their ids, and
   * returns the ids that the store left out. The rows lie in `space`: its `rows` of the end are theirs.
   */
  readBatch(
    reply: Uint8Array,
    space: StoredRows,
    versions: ReadonlyMap<string, SeenVersion>,
  ): string[] {
    let left: string[] = []
    const visit = (): void => this.#fill(space, versions.get(this.#scanner.idText() ?? ''))
    this.#scanner.open(reply)
    const end = readMembers(reply, 0, (name, start) => {
      if (name === 'Responses') {
        return readMembers(reply, start, (_, at) =>
          scanItems(reply, at, this.#scanner, space, visit),
        )
      }
      const behind = skipValue(reply, start, 0)
      if (name === 'UnprocessedKeys' && behind >= 0) left = unprocessedIds(reply, start, behind)
      return behind
    })
    if (end < 0) throw malformed(reply)
    return left
  }

  /** The old item in the body of a condition that failed; false where the body has none. */
  readOld(body: Uint8Array, space: StoredRows, seen: SeenVersion): boolean {
    const found = scanOldItem(body, this.#scanner, space)
    if (found === 'malformed') throw malformed(body)
    if (found === 'none') return false
    this.#fill(space, seen)
    seen.rows = space.rows
    return true
  }

  /** Reads a page of a Scan: `visit` gets each item's id and version, which is good for the call alone. */
  readPage(reply: Uint8Array, visit: (id: string, seen: SeenVersion) => void): void {
    const space = new StoredRows()
    const seen = new SeenVersion()
    const page = scanPage(reply, this.#scanner, space, () => {
      this.#fill(space, seen)
      seen.rows = space.rows
      visit(this.#scanner.idText() ?? '', seen)
      space.rowsUsed = 0
    })
    if (page === undefined) throw malformed(reply)
  }

  #fill(space: StoredRows, seen: SeenVersion | undefined): void {
    const scanner = this.#scanner
    if (seen === undefined) return
    seen.setItem(scanner.timeUs, scanner.timeText())
    seen.rowStart = scanner.rowStart
    seen.rowBytes = scanner.rowBytes
    // An item too large to be a row (ROW_BYTES_MAX) says nothing that a row could equal.
    if (scanner.rowBytes < 0) this.#placeAbsent(space, seen)
  }

  #placeAbsent(space: StoredRows, seen: SeenVersion): void {
    const { absentRow } = this.#layout
    seen.rowStart = space.reserveRow(absentRow.length)
    seen.rowBytes = absentRow.length
    space.rows.set(absentRow, seen.rowStart)
  }
}

const malformed = (reply: Uint8Array): DynamoFailure =>
  new DynamoFailure('unavailable', '', 'a reply that is not well formed', reply)

type UnprocessedKeys = Readonly<
  Record<string, { readonly Keys?: readonly { readonly entity_id?: { readonly S?: string } }[] }>
>

function unprocessedIds(reply: Uint8Array, start: number, end: number): string[] {
  // The protocol's own shape; skipValue has passed over it.
  const tables = JSON.parse(utf8Decoder.decode(reply.subarray(start, end))) as UnprocessedKeys
  return Object.values(tables).flatMap(({ Keys: keys = [] }) =>
    keys.flatMap(({ entity_id: id }) => (id?.S === undefined ? [] : [id.S])),
  )
}
