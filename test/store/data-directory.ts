/** Directories for test stores, and sizes that give a log of a few rows all its pieces. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { LogSizes } from '../../src/store/embedded/log-sizes.ts'

export const newDirectory = (): string => mkdtempSync(join(tmpdir(), 'salver-store-'))

export const removeDirectory = (directory: string): void =>
  rmSync(directory, { recursive: true, force: true })

export const SMALL_SIZES: LogSizes = {
  segmentBytes: 64 * 1024,
  groupBytesMax: 16 * 1024,
  groupRoomMin: 4 * 1024,
  fillBytes: 8 * 1024,
}
