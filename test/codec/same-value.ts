/** Whether a value that a format gave is the value that was meant. */
import type { PlainValue } from '../../src/catalog/catalog.ts'

/** '' if they are the same, else the path to the first difference. Bytes are equal to their base64. */
export function differenceOf(meant: PlainValue, given: unknown, path = ''): string {
  if (typeof meant === 'number') return sameNumber(meant, given) ? '' : shown(meant, given, path)
  if (meant instanceof Uint8Array) {
    const base64 = given instanceof Uint8Array ? given.toBase64() : given
    return base64 === meant.toBase64() ? '' : shown(meant.toBase64(), given, path)
  }
  if (meant === null || typeof meant !== 'object') {
    return meant === given ? '' : shown(meant, given, path)
  }
  return isList(meant) ? listDifference(meant, given, path) : mapDifference(meant, given, path)
}

/** JSON's texts for what it has no number for; an integer text too long for a double's exact range. */
function sameNumber(meant: number, given: unknown): boolean {
  if (typeof given === 'string') return given === String(meant) && !Number.isFinite(meant)
  if (typeof given === 'bigint') return Number(given) === meant
  return Object.is(meant, given)
}

function listDifference(meant: readonly PlainValue[], given: unknown, path: string): string {
  const list: unknown =
    ArrayBuffer.isView(given) && !(given instanceof DataView)
      ? Array.from(given as Uint8Array)
      : given
  if (!Array.isArray(list) || list.length !== meant.length) return shown(meant, given, path)
  for (const [place, element] of meant.entries()) {
    const difference = differenceOf(element, list[place], `${path}[${place}]`)
    if (difference !== '') return difference
  }
  return ''
}

function mapDifference(
  meant: { readonly [key: string]: PlainValue },
  given: unknown,
  path: string,
): string {
  if (typeof given !== 'object' || given === null) return shown(meant, given, path)
  const entries = given instanceof Map ? given : new Map(Object.entries(given))
  const keys = Object.keys(meant)
  if (entries.size !== keys.length) return shown(meant, given, path)
  for (const key of keys) {
    if (!entries.has(key)) return shown(meant, given, `${path}.${key}`)
    const difference = differenceOf(meant[key]!, entries.get(key), `${path}.${key}`)
    if (difference !== '') return difference
  }
  return ''
}

const isList = (value: object): value is readonly PlainValue[] => Array.isArray(value)

const shown = (meant: unknown, given: unknown, path: string): string =>
  `${path}: meant ${Bun.inspect(meant)}, given ${Bun.inspect(given)}`
