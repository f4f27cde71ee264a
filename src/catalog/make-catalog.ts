/** The last step of every reader: definitions become a Catalog, indexed, digested and frozen. */
import type { Catalog } from './catalog.ts'

export type Definitions = Omit<Catalog, 'digest' | 'viewsByName' | 'servicesByName'>

/** Older versions of a view stand behind the current one, under the same name. */
export function makeCatalog(definitions: Definitions): Catalog {
  const viewsByName = new Map<string, Catalog['views'][number]>()
  for (const view of definitions.views) {
    if (!viewsByName.has(view.name)) viewsByName.set(view.name, view)
  }
  const servicesByName = new Map(definitions.services.map((service) => [service.name, service]))
  const digest = digestOf(definitions)
  return freezeDeep({ ...definitions, digest, viewsByName, servicesByName })
}

/** Where the definitions were read from is left out: copies of one catalog are equal everywhere. */
function digestOf(definitions: Definitions): string {
  const { origin: _origin, folder: _folder, ...content } = definitions
  return new Bun.CryptoHasher('sha256').update(canonicalText(content)).digest('hex')
}

/** JSON with sorted keys, in which what JSON does not know (a Map, a bigint, bytes, -0) stays apart. */
export const canonicalText = (value: unknown): string => JSON.stringify(canonicalForm(value))

function canonicalForm(value: unknown): unknown {
  if (typeof value === 'bigint') return { $integer: String(value) }
  if (typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0))) {
    return { $number: Object.is(value, -0) ? '-0' : String(value) }
  }
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Uint8Array) return { $bytes: value.toHex() }
  if (Array.isArray(value)) return value.map(canonicalForm)
  if (value instanceof Map) return { $map: sortedEntries(value) }
  return Object.fromEntries(sortedEntries(Object.entries(value)))
}

function sortedEntries(entries: Iterable<readonly [string, unknown]>): [string, unknown][] {
  return [...entries]
    .filter(([, value]) => value !== undefined)
    .sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0))
    .map(([key, value]) => [key, canonicalForm(value)])
}

/** Maps and bytes can't be frozen; their types are read-only. */
export function freezeDeep<T>(value: T): T {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value
  if (value instanceof Map) {
    for (const each of value.values()) freezeDeep(each)
    return value
  }
  if (Object.isFrozen(value)) return value
  Object.freeze(value)
  for (const each of Object.values(value)) freezeDeep(each)
  return value
}
