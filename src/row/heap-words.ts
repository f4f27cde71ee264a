/** The packed elements of lists, written as words at multiples of 8 of a heap. */
import { highHalf, lowHalf } from '../base/int64.ts'
import type { ValueTypeName } from '../catalog/value-type.ts'

/** `Number(x)` of what may be a bigint is a slow call even where it is a number. */
export const numberOf = (value: number | bigint): number =>
  typeof value === 'number' ? value : Number(value)

export class HeapWords {
  readonly #ints: Int32Array
  readonly #floats: Float32Array
  readonly #doubles: Float64Array

  constructor(heap: ArrayBuffer) {
    this.#ints = new Int32Array(heap)
    this.#floats = new Float32Array(heap)
    this.#doubles = new Float64Array(heap)
  }

  write(start: number, element: ValueTypeName, values: ArrayLike<number | bigint>): void {
    if (element === 'FLOAT') this.#writeFloats(start >> 2, values)
    else if (element === 'DOUBLE') this.#writeDoubles(start >> 3, values)
    else if (element === 'INT32') this.#writeInt32s(start >> 2, values)
    else this.#writeInt64s(start >> 2, values)
  }

  #writeFloats(start: number, values: ArrayLike<number | bigint>): void {
    for (let place = 0; place < values.length; place++) {
      const number = numberOf(values[place]!)
      if (number === number) this.#floats[start + place] = number
      else this.#ints[start + place] = 0x7fc0_0000
    }
  }

  #writeDoubles(start: number, values: ArrayLike<number | bigint>): void {
    for (let place = 0; place < values.length; place++) {
      const number = numberOf(values[place]!)
      if (number === number) this.#doubles[start + place] = number
      else {
        this.#ints[2 * (start + place)] = 0
        this.#ints[2 * (start + place) + 1] = 0x7ff8_0000
      }
    }
  }

  #writeInt32s(start: number, values: ArrayLike<number | bigint>): void {
    for (let place = 0; place < values.length; place++) {
      this.#ints[start + place] = numberOf(values[place]!)
    }
  }

  #writeInt64s(start: number, values: ArrayLike<number | bigint>): void {
    for (let place = 0; place < values.length; place++) {
      this.#ints[start + 2 * place] = lowHalf(values[place]!)
      this.#ints[start + 2 * place + 1] = highHalf(values[place]!)
    }
  }
}
