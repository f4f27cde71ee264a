/** How a table is named to people: a name alone may stand for several, with other join keys. */
import type { TableDescription } from '../store/store.ts'

export const tableLabel = ({ name, keySignature }: TableDescription): string =>
  `${name}(${keySignature})`
