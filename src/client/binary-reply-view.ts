/** A reply of `application/vnd.salver`, checked once when it is opened and then read by views (the server's codec/format.md). */
import { BlockView, FORM_MATRIX, FORM_ROWS, ROW_STATES } from './block-view.ts'
import type { BlockPlace } from './block-view.ts'
import { ClientError, corrupt } from './client-error.ts'
import type { ReplySchema } from './reply-schema.ts'
import { parseReplySchema } from './reply-schema.ts'

const MAGIC = 0x5256_4c53 // "SLVR", read as little-endian
const VERSION = 1
const HEADER_BYTES = 48
const ENTRY_BYTES = 64
const FLAG_STATUSES = 1
const FLAG_EVENT_TIMES = 2

export class BinaryReplyView {
  /** Rows of the request. */
  readonly rows: number
  /** Cells that the store had not answered by the deadline. */
  readonly lateCells: number
  /** To be kept, and given again to open replies that leave it out. */
  readonly schema: ReplySchema
  readonly blocks: readonly BlockView[]
  readonly #byName: ReadonlyMap<string, BlockView>

  /**
   * Throws a ClientError: `corrupt_reply`, or `schema_needed` where the reply leaves out a schema
   * that `known` does not have. The view holds on to `bytes`.
   */
  constructor(bytes: Uint8Array, known: ReadonlyMap<string, ReplySchema> = new Map()) {
    // Typed views need a start at a multiple of 8.
    const reply = new CheckedReply(bytes.byteOffset % 8 === 0 ? bytes : bytes.slice())
    this.rows = reply.rows
    this.lateCells = reply.lateCells
    this.schema = reply.schema(known)
    this.blocks = reply.blocks(this.schema)
    this.#byName = new Map(this.blocks.map((block) => [block.view, block]))
  }

  /** The block of a view, by its name or alias. */
  block(view: string): BlockView {
    const block = this.#byName.get(view)
    if (block === undefined) {
      throw new ClientError('unknown_column', `the reply has no view ${view}`)
    }
    return block
  }
}

/** The schema id that a reply's header names, or '' if it is too short to name one. */
export function schemaIdOf(bytes: Uint8Array): string {
  if (bytes.length < HEADER_BYTES) return ''
  let id = ''
  for (let at = 16; at < 24; at++) id += bytes[at]!.toString(16).padStart(2, '0')
  return id
}

class CheckedReply {
  readonly rows: number
  readonly lateCells: number
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #blockCount: number
  readonly #flags: number

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    if (bytes.length < HEADER_BYTES) throw corrupt(`it has ${bytes.length} bytes`)
    if (this.#word(0) !== MAGIC) throw corrupt('it does not begin with SLVR')
    const version = this.#view.getUint16(4, true)
    if (version !== VERSION) throw corrupt(`version ${version}; this client reads ${VERSION}`)
    if (this.#word(8) !== bytes.length) {
      throw corrupt(`it has ${bytes.length} bytes and says ${this.#word(8)}`)
    }
    this.#blockCount = this.#view.getUint16(6, true)
    if (this.#bodyStart > bytes.length) throw corrupt('its directory is cut off')
    this.rows = this.#word(12)
    this.lateCells = this.#word(32)
    this.#flags = this.#word(36)
  }

  schema(known: ReadonlyMap<string, ReplySchema>): ReplySchema {
    const id = schemaIdOf(this.#bytes)
    const kept = known.get(id)
    if (kept !== undefined) return kept
    const at = this.#word(24)
    if (at === 0) throw new ClientError('schema_needed', `schema ${id} is not known here`)
    const length = this.#word(28)
    this.#checkSection(at, length, 'schema')
    return parseReplySchema(id, this.#bytes.subarray(at, at + length))
  }

  blocks(schema: ReplySchema): BlockView[] {
    if (schema.blocks.length !== this.#blockCount) throw corrupt('blocks and schema differ')
    return schema.blocks.map(
      (block, index) => new BlockView(this.#bytes, this.#place(index), block, this.rows),
    )
  }

  #place(index: number): BlockPlace {
    const at = HEADER_BYTES + index * ENTRY_BYTES
    const place = {
      form: this.#view.getUint8(at),
      broadcast: (this.#view.getUint8(at + 1) & 1) === 1,
      features: this.#view.getUint16(at + 2, true),
      rows: this.#word(at + 4),
      valuesAt: this.#word(at + 8),
      valuesBytes: this.#word(at + 12),
      stride: this.#word(at + 16),
      endsAt: this.#word(at + 20),
      statesAt: this.#word(at + 24),
      timesAt: this.#word(at + 28),
      bitsAt: this.#word(at + 32),
      bitsStride: this.#word(at + 36),
      typeNumber: this.#view.getUint8(at + 40),
    }
    this.#checkPlace(place)
    return place
  }

  #checkPlace(place: BlockPlace): void {
    const { form, rows, stride, features } = place
    if (form !== FORM_ROWS && form !== FORM_MATRIX) throw corrupt(`form ${form} of a block`)
    if (rows !== (place.broadcast ? 1 : this.rows)) throw corrupt(`a block has ${rows} rows`)
    this.#checkSection(place.valuesAt, place.valuesBytes, 'values')
    if (stride > 0 && stride * rows !== place.valuesBytes) throw corrupt('wrong stride')
    if (stride === 0) this.#checkSection(place.endsAt, 4 * rows, 'row ends')
    this.#checkSection(place.statesAt, rows, 'row states')
    for (let row = 0; row < rows; row++) {
      const state = this.#bytes[place.statesAt + row]!
      if (state >= ROW_STATES.length) throw corrupt(`state ${state} of a row`)
    }
    const hasTimes = (this.#flags & FLAG_EVENT_TIMES) !== 0
    if (hasTimes !== place.timesAt > 0) throw corrupt('event times and flags differ')
    if (hasTimes) this.#checkSection(place.timesAt, 8 * rows, 'event times')
    const hasBits = form === FORM_MATRIX && (this.#flags & FLAG_STATUSES) !== 0
    if (hasBits !== place.bitsAt > 0) throw corrupt('feature bits and flags differ')
    if (!hasBits) return
    if (place.bitsStride !== Math.ceil(features / 4)) throw corrupt('wrong stride of feature bits')
    this.#checkSection(place.bitsAt, place.bitsStride * rows, 'feature bits')
  }

  /** Inside the reply, behind the directory, at a multiple of 8. */
  #checkSection(at: number, bytes: number, what: string): void {
    const isInside = at >= this.#bodyStart && at + bytes <= this.#bytes.length
    if (at % 8 !== 0 || !isInside) throw corrupt(`its ${what} would lie at ${at}, ${bytes} bytes`)
  }

  get #bodyStart(): number {
    return HEADER_BYTES + this.#blockCount * ENTRY_BYTES
  }

  #word(at: number): number {
    return this.#view.getUint32(at, true)
  }
}
