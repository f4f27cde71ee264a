/** Opening a data directory: what the system refuses is told as a Fault, with the path and the errno. */
import type { FaultCode } from '../base/fault.ts'
import { Fault } from '../base/fault.ts'

/** The path can't be a data directory of this user; no other run of the same command would differ. */
const WRONG_PATH: ReadonlySet<string> = new Set([
  'EACCES',
  'EEXIST',
  'EINVAL',
  'ELOOP',
  'ENAMETOOLONG',
  'ENOENT',
  'ENOTDIR',
  'EPERM',
  'EROFS',
])
const NO_ROOM: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT'])

/** The result of `open`; errors that are not of the system pass as they are. */
export async function openedData<T>(dir: string, open: () => T | Promise<T>): Promise<T> {
  try {
    return await open()
  } catch (thrown) {
    if (thrown instanceof Fault || !isSystemError(thrown)) throw thrown
    throw new Fault(codeOf(thrown.code), `the data directory can't be opened: ${thrown.message}`, {
      where: dir,
      allowed: 'a directory of this user, or a path where one can be made',
      cause: thrown,
    })
  }
}

type SystemError = Error & { readonly code: string; readonly syscall: string }

const isSystemError = (thrown: unknown): thrown is SystemError =>
  thrown instanceof Error &&
  'syscall' in thrown &&
  'code' in thrown &&
  typeof thrown.code === 'string'

function codeOf(errno: string): FaultCode {
  if (NO_ROOM.has(errno)) return 'disk_full'
  return WRONG_PATH.has(errno) ? 'usage' : 'unavailable'
}
