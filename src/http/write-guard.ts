/** Who may write: with a token set, who sends it; on a read-only server, nobody. */
import { createHash, timingSafeEqual } from 'node:crypto'
import { Fault } from '../base/fault.ts'

const BEARER = /^Bearer +(.+)$/i

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

/** Returns a check that throws `read_only` or `unauthorized`. An empty token asks nobody for one. */
export function makeWriteGuard(token: string, readOnly: boolean): (headers: Headers) => void {
  const wanted = digest(token)
  return (headers) => {
    if (readOnly) throw new Fault('read_only', 'this server was started with --read-only')
    if (token === '') return
    const given = BEARER.exec(headers.get('authorization') ?? '')?.[1] ?? ''
    // Digests are of one length, and compared in a time that does not tell where they part.
    if (timingSafeEqual(digest(given), wanted)) return
    throw new Fault('unauthorized', 'writing needs the token of this server', {
      where: 'header authorization',
      allowed: 'Bearer <token>',
    })
  }
}
