/** Where each feature lies in the rows of a block, worked out from the layout that the schema names (row/format.md). */
import { corrupt } from './client-error.ts'
import type { ReplyForm, ReplyType } from './reply-types.ts'
import { isSlot, replyTypeNamed } from './reply-types.ts'

export type ReplyFeature = {
  readonly name: string
  readonly type: ReplyType
  /** Place in the layout. */
  readonly position: number
  /** Byte offset in the row of its slot; of a heap feature, of its end. */
  readonly slot: number
  /** Byte offset of the end before it, or -1 where its value is the first of the heap. */
  readonly endBefore: number
}

export type ReplyLayout = {
  readonly features: readonly ReplyFeature[]
  readonly presenceStart: number
  readonly fixedBytes: number
  /** True where rows differ in length. */
  readonly hasHeap: boolean
}

/** Parts A, B and C: numbers of 8, 4 and 1 bytes. INT64 goes before UNIX_TIMESTAMP, which reads alike. */
const SLOT_ORDER: readonly string[] = [
  'DOUBLE',
  'INT64',
  'UNIX_TIMESTAMP',
  'FLOAT',
  'INT32',
  'BOOL',
]
const HEAP_WIDTHS = [8, 4, 1]

export function makeReplyLayout(
  names: readonly (readonly [name: string, type: string])[],
  times: boolean,
): ReplyLayout {
  const types = names.map(([name, typeName]) => {
    const type = replyTypeNamed(typeName)
    if (type === undefined) throw corrupt(`feature ${name} is of the unknown type ${typeName}`)
    return type
  })
  const slots = new Array<number>(names.length).fill(0)
  const endsBefore = new Array<number>(names.length).fill(-1)
  let at = times ? 8 * names.length : 0
  for (const slotName of SLOT_ORDER) {
    types.forEach((type, position) => {
      if (type.name !== slotName) return
      slots[position] = at
      at += type.width
    })
  }
  const presenceStart = at
  at = roundUp(at + Math.ceil(names.length / 4), 4)
  const heapStart = at
  for (const width of HEAP_WIDTHS) {
    types.forEach((type, position) => {
      if (isSlot(type) || heapWidth(type) !== width) return
      endsBefore[position] = at === heapStart ? -1 : at - 4
      slots[position] = at
      at += 4
    })
  }
  return {
    features: names.map(([name], position) => ({
      name,
      type: types[position]!,
      position,
      slot: slots[position]!,
      endBefore: endsBefore[position]!,
    })),
    presenceStart,
    fixedBytes: roundUp(at, 8),
    hasHeap: at > heapStart,
  }
}

const heapWidth = ({
  form,
  width,
}: {
  readonly form: ReplyForm
  readonly width: number
}): number => (form === 'packed' ? width : 1)

const roundUp = (bytes: number, to: number): number => Math.ceil(bytes / to) * to
