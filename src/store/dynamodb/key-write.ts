/** The one write that is left of a key's entries, as a call. */
import type { DynamoOperation } from './dynamo-client.ts'
import type { KeyJudge, KeyWriteKind } from './key-judge.ts'
import type { SeenVersion } from './seen-version.ts'
import { fitsUpdate } from './write-bodies.ts'
import type { WrittenTable } from './written-table.ts'

export class KeyWrite {
  readonly key: number
  readonly id: string
  readonly seen: SeenVersion
  readonly kind: KeyWriteKind
  readonly timeUs: number
  readonly rows: Uint8Array
  readonly rowStart: number
  readonly rowBytes: number
  /** The entry that brought this version. */
  readonly entry: number
  readonly #set: Uint8Array | undefined
  /** A call of this write was made and not answered: it may have come through. */
  mayBeDone = false

  /** Of what the judge came to last; undefined if nothing is to be done. */
  static of(judge: KeyJudge, key: number, id: string, seen: SeenVersion): KeyWrite | undefined {
    return judge.write === 'none' ? undefined : new KeyWrite(judge, key, id, seen)
  }

  private constructor(judge: KeyJudge, key: number, id: string, seen: SeenVersion) {
    const set = judge.write === 'update' ? judge.setFeatures : undefined
    const isUpdate = set !== undefined && fitsUpdate(set.reduce((sum, one) => sum + one, 0))
    this.key = key
    this.id = id
    this.seen = seen
    this.kind = judge.write === 'update' && !isUpdate ? 'put' : judge.write
    this.timeUs = judge.timeUs
    this.rows = judge.rows
    this.rowStart = judge.rowStart
    this.rowBytes = judge.rowBytes
    this.entry = judge.entry
    this.#set = set
  }

  get isRow(): boolean {
    return this.kind === 'put' || this.kind === 'update'
  }

  get operation(): DynamoOperation {
    if (this.kind === 'delete') return 'DeleteItem'
    return this.kind === 'update' ? 'UpdateItem' : 'PutItem'
  }

  /** Bytes of the item that is then there. */
  itemBytes(table: WrittenTable): number {
    return this.isRow ? table.item.itemBytes(this.timeUs, this.rows, this.rowStart) : 0
  }

  body({ bodies }: WrittenTable): Uint8Array {
    const { id, timeUs, rows, rowStart, seen } = this
    if (this.kind === 'delete') return bodies.delete(id, timeUs, seen)
    if (this.kind === 'update' && this.#set !== undefined) {
      return bodies.update(id, timeUs, { rows, rowStart, set: this.#set }, seen)
    }
    return bodies.put(id, timeUs, rows, rowStart, seen)
  }
}
