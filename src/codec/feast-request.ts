/** The body of POST /get-online-features, checked as FastAPI and pydantic check it. */
import { Fault } from '../base/fault.ts'
import { COLUMNS_PER_REQUEST_MAX } from '../base/limits.ts'
import type { Finding, Location } from './feast-error.ts'
import { FeastInvalid } from './feast-error.ts'
import type { PythonObject, PythonValue } from './python-json.ts'
import {
  PythonFloat,
  PythonJsonError,
  PythonParseError,
  isPythonList,
  isPythonObject,
  parsePythonJson,
} from './python-json.ts'

export type FeastRequest = {
  /** '' where references are given. */
  readonly service: string
  readonly references: readonly string[]
  /** Names of the entity columns, and their values, in the request's order. */
  readonly columns: readonly string[]
  readonly values: readonly (readonly PythonValue[])[]
  readonly fullFeatureNames: boolean
  readonly versionMetadata: boolean
}

/** FastAPI takes application/json, application/<anything>+json, with parameters. */
const JSON_TYPE = /^application\/(?:json|[^;\s]+\+json)\s*(?:;|$)/i

const utf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * `contentType` is '' where the request has none. Throws a FeastInvalid, a
 * PythonParseError, or a Fault for our bounds.
 */
export function parseFeastRequest(body: Uint8Array, contentType: string): FeastRequest {
  const findings: Finding[] = []
  const request = readFields(bodyOf(body, contentType), findings)
  if (findings.length > 0) throw new FeastInvalid(findings)
  return request
}

function bodyOf(body: Uint8Array, contentType: string): PythonObject {
  if (body.length === 0) throw new FeastInvalid([missing(['body'], null)])
  const text = textOf(body)
  const value = JSON_TYPE.test(contentType.trim()) ? parseBody(text) : text
  if (isPythonObject(value)) return value
  throw new FeastInvalid([
    {
      type: 'model_attributes_type',
      loc: ['body'],
      msg: 'Input should be a valid dictionary or object to extract fields from',
      input: value,
    },
  ])
}

function textOf(body: Uint8Array): string {
  try {
    return utf8.decode(body)
  } catch {
    throw new PythonParseError('not UTF-8')
  }
}

function parseBody(text: string): PythonValue {
  try {
    return parsePythonJson(text)
  } catch (error) {
    if (!(error instanceof PythonJsonError)) throw error
    const finding: Finding = {
      type: 'json_invalid',
      loc: ['body', error.position],
      msg: 'JSON decode error',
      input: {},
      ctx: { error: error.message },
    }
    throw new FeastInvalid([finding])
  }
}

/** In the order of the model's fields, which is the order of the findings. */
function readFields(body: PythonObject, findings: Finding[]): FeastRequest {
  const entities = readEntities(body, findings)
  const service = readService(body, findings)
  const references = readReferences(body, findings)
  const fullFeatureNames = readBoolean(body, 'full_feature_names', findings)
  const versionMetadata = readBoolean(body, 'include_feature_view_version_metadata', findings)
  const columns = Object.keys(entities)
  const values = columns.map((name) => entities[name]!)
  return { service, references, columns, values, fullFeatureNames, versionMetadata }
}

type Entities = { readonly [name: string]: readonly PythonValue[] }
const NO_ENTITIES: Entities = {}

function readEntities(body: PythonObject, findings: Finding[]): Entities {
  const value = fieldOf(body, 'entities')
  if (value === undefined) {
    findings.push(missing(['body', 'entities'], body))
    return NO_ENTITIES
  }
  if (!isPythonObject(value)) {
    findings.push(
      finding('dict_type', ['body', 'entities'], 'Input should be a valid dictionary', value),
    )
    return NO_ENTITIES
  }
  const names = Object.keys(value)
  if (names.length > COLUMNS_PER_REQUEST_MAX) throw tooManyColumns(names.length)
  for (const name of names) {
    if (isPythonList(value[name]!)) continue
    findings.push(notAList(['body', 'entities', name], value[name]!))
  }
  return value as Entities // each is a list, or the findings refuse the request
}

const tooManyColumns = (count: number): Fault =>
  new Fault('too_large', `${count} entity columns in one request`, {
    where: 'entities',
    allowed: `at most ${COLUMNS_PER_REQUEST_MAX} columns`,
  })

function readService(body: PythonObject, findings: Finding[]): string {
  const value = fieldOf(body, 'feature_service') ?? ''
  if (typeof value === 'string') return value
  findings.push(notAString(['body', 'feature_service'], value))
  return ''
}

function readReferences(body: PythonObject, findings: Finding[]): readonly string[] {
  const value = fieldOf(body, 'features')
  if (value === undefined) return []
  if (!isPythonList(value)) {
    findings.push(notAList(['body', 'features'], value))
    return []
  }
  value.forEach((each, index) => {
    if (typeof each !== 'string') findings.push(notAString(['body', 'features', index], each))
  })
  return value as readonly string[] // each is a string, or the findings refuse the request
}

const TRUE_TEXTS = ['1', 'on', 't', 'true', 'y', 'yes']
const FALSE_TEXTS = ['0', 'off', 'f', 'false', 'n', 'no']

/** What pydantic takes for a boolean where it is not strict. */
function readBoolean(body: PythonObject, name: string, findings: Finding[]): boolean {
  const value = fieldOf(body, name)
  if (value === undefined) return false
  if (typeof value === 'boolean') return value
  const plain = value instanceof PythonFloat ? value.value : value
  const text = typeof plain === 'string' ? plain.toLowerCase() : String(plain)
  const isReadable = typeof plain === 'string' || typeof plain === 'number'
  if (isReadable && TRUE_TEXTS.includes(text)) return true
  if (isReadable && FALSE_TEXTS.includes(text)) return false
  findings.push(notABoolean(['body', name], value))
  return false
}

function notABoolean(loc: Location, value: PythonValue): Finding {
  const isWhole = !(value instanceof PythonFloat) || Number.isInteger(value.value)
  const isScalar = value !== null && !isPythonList(value) && !isPythonObject(value)
  return isScalar && isWhole
    ? finding(
        'bool_parsing',
        loc,
        'Input should be a valid boolean, unable to interpret input',
        value,
      )
    : finding('bool_type', loc, 'Input should be a valid boolean', value)
}

const finding = (type: string, loc: Location, msg: string, input: PythonValue): Finding => ({
  type,
  loc,
  msg,
  input,
})
const missing = (loc: Location, input: PythonValue): Finding =>
  finding('missing', loc, 'Field required', input)
const notAList = (loc: Location, input: PythonValue): Finding =>
  finding('list_type', loc, 'Input should be a valid list', input)
const notAString = (loc: Location, input: PythonValue): Finding =>
  finding('string_type', loc, 'Input should be a valid string', input)

const fieldOf = (body: PythonObject, name: string): PythonValue | undefined =>
  Object.hasOwn(body, name) ? body[name] : undefined
