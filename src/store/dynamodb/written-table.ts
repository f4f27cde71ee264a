/** What writing one table in one layout takes: its names, its bodies, and how replies are read. */
import { EntityIds } from '../../row/entity-id.ts'
import type { Layout } from '../../row/layout.ts'
import { decodeLayout } from '../../row/layout.ts'
import { ItemBody } from './item-body.ts'
import type { AbsentDelete } from './key-judge.ts'
import { KeyJudge } from './key-judge.ts'
import { StoredItems } from './stored-items.ts'
import { WriteBodies } from './write-bodies.ts'

export class WrittenTable {
  /** Its name in DynamoDB. */
  readonly name: string
  readonly ids: EntityIds
  readonly layout: Layout
  readonly refreshAfterUs: number
  readonly item: ItemBody
  readonly bodies: WriteBodies
  readonly items: StoredItems
  readonly judge: KeyJudge

  constructor(
    name: string,
    /** What stands before every key when it is hashed. */
    prefix: Uint8Array,
    layout: Uint8Array,
    rules: { readonly refreshAfterUs: number; readonly absentDelete: AbsentDelete },
  ) {
    this.name = name
    this.ids = new EntityIds(prefix)
    this.layout = decodeLayout(layout)
    this.refreshAfterUs = rules.refreshAfterUs
    this.item = new ItemBody(this.layout)
    this.bodies = new WriteBodies(name, this.layout, this.item)
    this.items = new StoredItems(this.layout)
    this.judge = new KeyJudge(this.layout, rules.refreshAfterUs, rules.absentDelete)
  }
}
