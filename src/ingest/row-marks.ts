/**
 * What a row may say beside its view's columns. Names that begin with two underscores are reserved in
 * features.yaml; where a Feast view has a column of such a name all the same, the column is meant.
 */
/** A row in which this is true deletes its key as of its event time. */
export const DELETED_MARK = '__deleted'
/** The view of a row, in a body of lines of many views. */
export const VIEW_MARK = '__view'

/** The columns of a view, and its created time's. */
type Columns = { readonly needed: readonly string[]; readonly created: string }

/** '' where the view has a column of this name. */
export const deletedMarkOf = (names: Columns): string =>
  names.needed.includes(DELETED_MARK) || names.created === DELETED_MARK ? '' : DELETED_MARK

export const DELETED_ALLOWED = 'true or false, or null for false'

const WORDS: ReadonlyMap<unknown, boolean> = new Map<unknown, boolean>([
  [undefined, false],
  [null, false],
  ['', false],
  [true, true],
  [false, false],
  [1, true],
  [0, false],
  [1n, true],
  [0n, false],
  ['1', true],
  ['0', false],
  ['true', true],
  ['false', false],
])

/** Undefined for what is neither true nor false. Texts count as CSV and Debezium write them. */
export function isDeleted(value: unknown): boolean | undefined {
  if (Number.isNaN(value)) return false // a missing value, as pandas writes it
  return WORDS.get(typeof value === 'string' ? value.toLowerCase() : value)
}
