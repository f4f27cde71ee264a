/** Growing packed buffers: the old content in a larger array. */

type Numbers = Uint8Array | Uint16Array | Uint32Array | Int32Array | Float64Array

/** Copies `old` to the front of `larger` and returns `larger`. */
export function grown<T extends Numbers>(old: T, larger: T): T {
  larger.set(old)
  return larger
}
