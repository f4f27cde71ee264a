/** Answers in JSON (format.md, "Reply in JSON and msgpack"). */
import { utf8Encoder } from '../base/utf8.ts'
import type { ValueType } from '../catalog/value-type.ts'
import { ByteWriter } from './byte-writer.ts'
import type { ReplyEncoder } from './codec.ts'
import type { CellWriter, ColumnarFormat } from './columnar-format.ts'
import { ColumnarReply } from './columnar-reply.ts'
import { jsonCellWriter } from './json-cells.ts'
import { writeInteger } from './json-text.ts'
import { writeTimeText } from './time-bytes.ts'

class JsonFormat implements ColumnarFormat {
  readonly out = new ByteWriter()
  readonly nullValue = utf8Encoder.encode('null')
  readonly nanValue = utf8Encoder.encode('"NaN"')
  readonly trueValue = utf8Encoder.encode('true')
  readonly falseValue = utf8Encoder.encode('false')
  /** True between the opening of a map or list and what stands first in it. */
  #first = false

  encodeText(text: string): Uint8Array {
    return utf8Encoder.encode(JSON.stringify(text))
  }

  cellWriter(type: ValueType): CellWriter {
    return jsonCellWriter(type)
  }

  beginMap(): void {
    this.out.ascii('{')
    this.#first = true
  }

  endMap(): void {
    this.out.ascii('}')
    this.#first = false
  }

  key(name: Uint8Array): void {
    this.element()
    this.out.raw(name)
    this.out.ascii(':')
  }

  beginList(): void {
    this.out.ascii('[')
    this.#first = true
  }

  endList(): void {
    this.out.ascii(']')
    this.#first = false
  }

  element(): void {
    if (!this.#first) this.out.byte(0x2c)
    this.#first = false
  }

  integer(value: number): void {
    writeInteger(this.out, value)
  }

  time(timeUs: number): void {
    writeTimeText(this.out, timeUs)
  }
}

const columnar = new ColumnarReply(new JsonFormat())

export const jsonReply: ReplyEncoder = {
  contentTypes: ['application/json'],
  encode: (answer) => columnar.encode(answer),
}
