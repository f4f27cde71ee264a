/** One JSON line and its crc32 in hex on the next: how the small files of a store are written. */
import { crc32 } from 'node:zlib'

const checksumText = (line: Uint8Array): string => crc32(line).toString(16).padStart(8, '0')

export function encodeCheckedJson(value: unknown): Uint8Array {
  const line = JSON.stringify(value)
  return new TextEncoder().encode(`${line}\n${checksumText(new TextEncoder().encode(line))}\n`)
}

/** The value, or undefined if the bytes are not what `encodeCheckedJson` wrote. */
export function decodeCheckedJson(bytes: Uint8Array): unknown {
  const lineEnd = bytes.indexOf(0x0a)
  if (lineEnd < 0) return undefined
  const line = bytes.subarray(0, lineEnd)
  const rest = new TextDecoder().decode(bytes.subarray(lineEnd + 1))
  if (rest !== `${checksumText(line)}\n`) return undefined
  return JSON.parse(new TextDecoder().decode(line)) as unknown
}
