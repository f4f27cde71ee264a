/** Answers in msgpack (format.md, "Reply in JSON and msgpack"). */
import { utf8Encoder } from '../base/utf8.ts'
import type { ValueType } from '../catalog/value-type.ts'
import { ByteWriter } from './byte-writer.ts'
import type { ReplyEncoder } from './codec.ts'
import type { CellWriter, ColumnarFormat } from './columnar-format.ts'
import { ColumnarReply } from './columnar-reply.ts'
import { msgpackCellWriter } from './msgpack-cells.ts'
import { beginList, beginMap, writeInteger, writeText } from './msgpack-values.ts'

class MsgpackFormat implements ColumnarFormat {
  readonly out = new ByteWriter()
  readonly nullValue = Uint8Array.of(0xc0)
  readonly nanValue = Uint8Array.of(0xca, 0x7f, 0xc0, 0x00, 0x00)
  readonly trueValue = Uint8Array.of(0xc3)
  readonly falseValue = Uint8Array.of(0xc2)

  encodeText(text: string): Uint8Array {
    const bytes = utf8Encoder.encode(text)
    const out = new ByteWriter()
    writeText(out, bytes, 0, bytes.length)
    return out.take()
  }

  cellWriter(type: ValueType): CellWriter {
    return msgpackCellWriter(type)
  }

  beginMap(entries: number): void {
    beginMap(this.out, entries)
  }

  endMap(): void {
    // A map says at its beginning how long it is.
  }

  key(name: Uint8Array): void {
    this.out.raw(name)
  }

  beginList(elements: number): void {
    beginList(this.out, elements)
  }

  endList(): void {
    // As endMap.
  }

  element(): void {
    // Nothing stands between elements.
  }

  integer(value: number): void {
    writeInteger(this.out, value)
  }

  time(timeUs: number): void {
    writeInteger(this.out, timeUs)
  }
}

const columnar = new ColumnarReply(new MsgpackFormat())

export const msgpackReply: ReplyEncoder = {
  contentTypes: ['application/msgpack', 'application/x-msgpack', 'application/vnd.msgpack'],
  encode: (answer) => columnar.encode(answer),
}
