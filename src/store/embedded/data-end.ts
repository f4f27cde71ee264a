/**
 * Where the data of a segment's file ends. It is read, not looked at through the mapping: behind its data
 * the file is a hole, and where the disk has no room left (a tmpfs gives a page to whoever looks at one)
 * a look kills the process.
 */
import type { DiskFile } from './disk.ts'

/** A block with data in it is there as a whole. */
export const BLOCK_BYTES = 4096

const PIECE_BYTES = 1024 * 1024
const ZEROS = new Uint8Array(PIECE_BYTES)

/** Byte offset behind the last byte that is not zero. */
export function dataEndOf(file: DiskFile, fileBytes: number): number {
  const buffer = new Uint8Array(Math.min(PIECE_BYTES, fileBytes))
  for (let end = fileBytes; end > 0;) {
    const start = Math.floor((end - 1) / PIECE_BYTES) * PIECE_BYTES
    const piece = buffer.subarray(0, end - start)
    const bytes = file.read(piece, start)
    if (!isZero(piece.subarray(0, bytes))) return start + lastNonZero(piece, bytes) + 1
    end = start
  }
  return 0
}

export const isZero = (bytes: Uint8Array): boolean =>
  Buffer.compare(bytes, ZEROS.subarray(0, bytes.length)) === 0

function lastNonZero(bytes: Uint8Array, count: number): number {
  let last = count - 1
  while (bytes[last] === 0) last--
  return last
}
