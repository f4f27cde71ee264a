/** Bytes of a file of definitions, or a Fault that says why there are none. */
import { open } from 'node:fs/promises'
import { Fault } from '../base/fault.ts'
import { CATALOG_BYTES_MAX } from '../base/limits.ts'

/** Where a registry lies: a path, or a URI whose reader is chosen by its scheme. */
export function readRegistryBytes(uri: string): Promise<Uint8Array> {
  if (!uri.startsWith('s3://')) return readCatalogFile(uri)
  throw new Fault('catalog_invalid', 'a registry in S3 is not read yet', {
    where: uri,
    allowed: 'the path of a local file',
  })
}

export async function readCatalogFile(path: string): Promise<Uint8Array> {
  try {
    await using file = await open(path)
    const { size } = await file.stat()
    if (size <= CATALOG_BYTES_MAX) return await file.readFile()
    throw new Fault('catalog_invalid', `the file has ${size} bytes`, {
      where: path,
      allowed: `at most ${CATALOG_BYTES_MAX}`,
    })
  } catch (cause) {
    if (cause instanceof Fault) throw cause
    throw new Fault('catalog_invalid', reasonOf(cause), { where: path, cause })
  }
}

const REASONS: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'there is no such file'],
  ['EACCES', 'the file may not be read'],
  ['EISDIR', 'this is a folder, not a file'],
  ['ENOTDIR', 'there is no such file'],
])

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return REASONS.get(code) ?? `the file can't be read: ${String(error)}`
}
