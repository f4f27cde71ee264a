/** What the names in a folder written by Spark (or Hive) mean: parts, marks of success, partitions. */
import { dirname, basename, join } from 'node:path'
import { Fault } from '../base/fault.ts'

/** Hive's name for a partition whose value is null. */
const NULL_PARTITION = '__HIVE_DEFAULT_PARTITION__'

const PARTITION = /^([^=/]+)=([^/]*)$/

/** Marks, checksums and files under way: no data. */
export const isPassedOver = (name: string): boolean => name.startsWith('_') || name.startsWith('.')

export const isPart = (path: string): boolean => basename(path).startsWith('part-')

/** The folders `name=value` right above a file, outermost first. */
export function partitionsOf(path: string): ReadonlyMap<string, string | null> {
  const partitions: [string, string | null][] = []
  for (const folder of partitionFolders(path)) {
    const [, name, value] = PARTITION.exec(basename(folder))!
    partitions.unshift([
      unescaped(name!, path),
      value === NULL_PARTITION ? null : unescaped(value!, path),
    ])
  }
  return new Map(partitions)
}

/** Innermost first. */
function partitionFolders(path: string): string[] {
  const folders: string[] = []
  let folder = dirname(path)
  while (PARTITION.test(basename(folder))) {
    folders.push(folder)
    folder = dirname(folder)
  }
  return folders
}

function unescaped(text: string, path: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new Fault('source_invalid', `${JSON.stringify(text)} in its path is not URL-encoded`, {
      where: path,
    })
  }
}

/** Spark writes `_SUCCESS` last: without it a folder may hold half of a job's rows. */
export async function requireSuccess(paths: readonly string[]): Promise<void> {
  const roots = new Set(
    paths.filter(isPart).map((path) => dirname(partitionFolders(path).at(-1) ?? path)),
  )
  for (const root of roots) {
    if (await Bun.file(join(root, '_SUCCESS')).exists()) continue
    throw new Fault('source_invalid', 'has part files and no _SUCCESS: the job did not finish', {
      where: root,
      allowed: 'a folder whose job has finished, or a single file of it',
    })
  }
}
