/** The order in which a view's join keys stand in its keys. */
import type { JoinKey } from './catalog.ts'

/** By their UTF-8 bytes: JavaScript's own order differs past U+FFFF. */
export const sortJoinKeys = (keys: readonly JoinKey[]): readonly JoinKey[] =>
  keys.toSorted((left, right) => Buffer.compare(Buffer.from(left.name), Buffer.from(right.name)))
