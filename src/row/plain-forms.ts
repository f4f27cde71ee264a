/** The forms in which values of composite types are handed around; scalars are plain values. */
import type { PlainValue } from '../catalog/catalog.ts'
import type { ValueTypeName } from '../catalog/value-type.ts'

/**
 * A value inside a map or a nested list, with its own type, so that the double 1.0 and the integer 1
 * stay apart. `value` is the plain value of that type; NULL has null.
 */
export type TypedValue = { readonly type: ValueTypeName | 'NULL'; readonly value: PlainValue }

/** Plain value of MAP and STRUCT. Has no prototype: any text is a key. MAP_LIST is a list of these. */
export type MapValue = { readonly [key: string]: TypedValue }

/** Plain value of VALUE_LIST and VALUE_SET. */
export type NestedValue = readonly TypedValue[]

/** Plain value of ZONED_TIMESTAMP: seconds since 1970 and the name of a zone, or an offset. */
export type ZonedValue = { readonly seconds: number | bigint; readonly zone: string }

export const TYPED_NULL: TypedValue = Object.freeze({ type: 'NULL', value: null })

export const emptyMap = (): { [key: string]: TypedValue } => Object.create(null)

// The four below say of a plain value what the type that it belongs to has made of it already.
export const asMap = (value: PlainValue): MapValue => value as MapValue
export const asNested = (value: PlainValue): NestedValue => value as NestedValue
export const asZoned = (value: PlainValue): ZonedValue => value as ZonedValue
export const asElements = (value: PlainValue): readonly PlainValue[] =>
  value as readonly PlainValue[]
