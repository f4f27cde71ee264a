/** Reads the fields of a YAML map one by one, so that one wrong field hides no other's fault. */
import type { z } from 'zod'
import { closestName } from '../base/closest-name.ts'
import { Fault } from '../base/fault.ts'
import type { Path, YamlDocument } from './yaml-document.ts'
import { placeOfKey, placeOfValue } from './yaml-document.ts'

/** What was wrong so far. */
export type Report = { readonly yaml: YamlDocument; readonly faults: Fault[] }

/** The message of a zod schema says what is allowed: what was found is known here. */
export type Shape = { readonly [key: string]: z.ZodType }

/** A field that is wrong, or not there and needed, is undefined: its fault has been reported. */
export type Fields<S extends Shape> = { readonly [K in keyof S]: z.output<S[K]> | undefined }

export type RawMap = { readonly [key: string]: unknown }

/** Whether keys that are not in the shape are faults, or another program's business. */
export type OtherKeys = 'refuse' | 'pass'

export function addFault(report: Report, path: Path, message: string, allowed?: string): void {
  report.faults.push(
    new Fault('catalog_invalid', message, { where: placeOfValue(report.yaml, path), allowed }),
  )
}

/** Undefined for what is no map, which is reported. */
export function rawMap(report: Report, path: Path, found: unknown): RawMap | undefined {
  if (isRawMap(found)) return found
  addFault(report, path, `${pathText(path)} is ${foundText(found)}`, 'a map of keys and values')
  return undefined
}

const isRawMap = (found: unknown): found is RawMap =>
  typeof found === 'object' && found !== null && !Array.isArray(found)

export function readFields<S extends Shape>(
  report: Report,
  at: { readonly path: Path; readonly otherKeys: OtherKeys },
  shape: S,
  raw: RawMap,
): Fields<S> {
  if (at.otherKeys === 'refuse') refuseUnknownKeys(report, at.path, Object.keys(shape), raw)
  const entries = Object.entries(shape).map(([key, schema]) => {
    const parsed = schema.safeParse(raw[key])
    if (parsed.success) return [key, parsed.data]
    for (const issue of parsed.error.issues) addIssue(report, [...at.path, key], raw[key], issue)
    return [key, undefined]
  })
  return Object.fromEntries(entries) as Fields<S> // one entry for each key of the shape, parsed by it
}

function refuseUnknownKeys(
  report: Report,
  path: Path,
  known: readonly string[],
  raw: RawMap,
): void {
  for (const key of Object.keys(raw).filter((key) => !known.includes(key))) {
    const keyPath = [...path, key]
    report.faults.push(
      new Fault('catalog_invalid', `${pathText(keyPath)} is no key here${hint(key, known)}`, {
        where: placeOfKey(report.yaml, keyPath),
        allowed: known.join(', '),
      }),
    )
  }
}

function addIssue(report: Report, field: Path, raw: unknown, issue: z.core.$ZodIssue): void {
  const path = [...field, ...issue.path]
  const found = issue.path.reduce(childOf, raw)
  const message = found === undefined ? 'is missing' : `is ${foundText(found)}`
  addFault(report, path, `${pathText(path)} ${message}`, issue.message)
}

const childOf = (value: unknown, step: PropertyKey): unknown =>
  Array.isArray(value) ? value[Number(step)] : isRawMap(value) ? value[String(step)] : undefined

/** ` (did you mean "x"?)`, or nothing. */
export function hint(unknown: string, known: Iterable<string>): string {
  const closest = closestName(unknown, known)
  return closest === undefined ? '' : ` (did you mean ${JSON.stringify(closest)}?)`
}

/** feature_views[0].ttl */
export const pathText = (path: Path): string =>
  path.length === 0
    ? 'the file'
    : path
        .map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`))
        .join('')
        .replace(/^\./, '')

const EXCERPT_UNITS_MAX = 60

export function foundText(found: unknown): string {
  if (found === undefined) return 'missing'
  if (found === null) return 'empty'
  if (Array.isArray(found))
    return found.length === 0 ? 'an empty list' : `a list of ${found.length}`
  if (typeof found === 'object') return 'a map'
  if (typeof found !== 'string')
    return `the ${typeof found === 'boolean' ? 'word' : 'number'} ${found}`
  const short =
    found.length <= EXCERPT_UNITS_MAX ? found : `${found.slice(0, EXCERPT_UNITS_MAX)}...`
  return `the text ${JSON.stringify(short)}`
}

/** Throws what was reported, if anything was: all of it at once. */
export function throwFaults(report: Report): void {
  if (report.faults.length > 0) throw catalogFault(report)
}

/** All that was reported, in the order of the file. */
export function catalogFault(report: Report): Fault {
  const faults = report.faults.toSorted((left, right) => rankOf(left) - rankOf(right))
  return manyFaults(report.yaml.file, faults)
}

const COLUMNS_MAX = 1_000_000

function rankOf(fault: Fault): number {
  const [, line, column] = /:(\d+):(\d+)$/.exec(fault.where ?? '') ?? []
  return Number(line ?? 0) * COLUMNS_MAX + Number(column ?? 0)
}

/** The sentences are in `faults`; the message says how many there are, and where to begin. */
export function manyFaults(where: string, faults: readonly Fault[]): Fault {
  const place = faults[0]?.where ?? where
  const message =
    faults.length === 1 ? `a fault at ${place}` : `${faults.length} faults, the first at ${place}`
  return new Fault('catalog_invalid', message, { where, faults })
}
