/** A value in the words of a Fault: its kind and, where that is short, the value. */

const EXCERPT_UNITS_MAX = 40

const excerpt = (text: string): string =>
  text.length <= EXCERPT_UNITS_MAX ? text : `${text.slice(0, EXCERPT_UNITS_MAX)}...`

export function describeFound(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return `text ${excerpt(JSON.stringify(value))}`
    case 'number':
    case 'bigint':
      return `the number ${excerpt(String(value))}`
    case 'boolean':
      return String(value)
    case 'object':
      break
    default:
      return 'nothing'
  }
  if (value === null) return 'null'
  if (value instanceof Uint8Array) return `${value.length} bytes`
  return Array.isArray(value) ? `a list of ${value.length}` : 'an object'
}
