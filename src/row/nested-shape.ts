/** Feast's tag `feast:nested_inner_type`: what the elements of a nested list are. */
import type { ValueType } from '../catalog/value-type.ts'
import { valueType, valueTypeNamed } from '../catalog/value-type.ts'

/** A type, and for VALUE_LIST and VALUE_SET the shape of an element (undefined: to be inferred). */
export type NestedShape = { readonly type: ValueType; readonly element: NestedShape | undefined }

/** Feast's own names for types that the enum calls otherwise. */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ['FLOAT32', 'FLOAT'],
  ['FLOAT64', 'DOUBLE'],
])

/**
 * `Array(Array(INT64))` and the like: Array and Set around the name of a type. Undefined for
 * anything else: elements are then taken for what they look like.
 */
export function parseNestedShape(text: string): NestedShape | undefined {
  const name = text.trim()
  const match = /^(Array|Set)\s*\((.*)\)$/is.exec(name)
  if (match === null) return namedShape(name.toUpperCase())
  const element = parseNestedShape(match[2]!)
  if (element === undefined) return undefined
  const suffix = match[1]!.toLowerCase() === 'set' ? 'SET' : 'LIST'
  const isFlat = element.type.shape === 'scalar' || element.type.shape === 'map'
  const flat = isFlat ? valueTypeNamed(`${element.type.name}_${suffix}`) : undefined
  if (flat !== undefined) return { type: flat, element: undefined }
  return { type: valueType(suffix === 'SET' ? 'VALUE_SET' : 'VALUE_LIST'), element }
}

function namedShape(name: string): NestedShape | undefined {
  const type = valueTypeNamed(ALIASES.get(name) ?? name)
  return type === undefined ? undefined : { type, element: undefined }
}
