/** The shape of a read request (format.md, "Request"), whatever its bytes: every field, bound and fault in one place. */
import { closestName } from '../base/closest-name.ts'
import { Fault } from '../base/fault.ts'
import {
  CELLS_PER_REQUEST_MAX,
  COLUMNS_PER_REQUEST_MAX,
  ENTITIES_PER_REQUEST_MAX,
  FEATURES_PER_REQUEST_MAX,
} from '../base/limits.ts'
import type { BlockForm, EntityColumn, Fill } from '../query/query.ts'
import type { ReadRequest, SchemaChoice } from './codec.ts'
import type { RequestReader, RequestScalar } from './request-reader.ts'

const FIELDS = [
  'feature_service',
  'features',
  'entities',
  'fill',
  'statuses',
  'event_times',
  'block',
  'schema',
  'deadline_ms',
]
const FILLS: readonly Fill[] = ['null', 'nan', 'default']
const FORMS: readonly BlockForm[] = ['rows', 'matrix']
const SCHEMAS: readonly SchemaChoice[] = ['include', 'omit']

/** A request while it is being read: undefined is "not given". */
class Draft {
  service: string | undefined
  references: string[] | undefined
  columns: EntityColumn[] | undefined
  fill: Fill | undefined
  statuses: boolean | undefined
  eventTimes: boolean | undefined
  form: BlockForm | undefined
  schema: SchemaChoice | undefined
  deadlineMs: number | undefined
}

export function decodeReadRequest(reader: RequestReader): ReadRequest {
  if (reader.kind() !== 'map') {
    if (reader.kind() === 'scalar') reader.readScalar()
    throw invalid(
      reader,
      '',
      'the request is not an object',
      'an object with the fields of a request',
    )
  }
  const draft = new Draft()
  reader.enterMap()
  for (let field = reader.nextKey(); field !== undefined; field = reader.nextKey()) {
    readField(reader, field, draft)
  }
  reader.end()
  return finished(draft)
}

function readField(reader: RequestReader, field: string, draft: Draft): void {
  switch (field) {
    case 'feature_service':
      requireFirst(reader, field, draft.service)
      draft.service = kept(reader, readName(reader, field, -1))
      return
    case 'features':
      requireFirst(reader, field, draft.references)
      draft.references = readReferences(reader)
      return
    case 'entities':
      requireFirst(reader, field, draft.columns)
      draft.columns = readColumns(reader)
      return
    case 'fill':
      requireFirst(reader, field, draft.fill)
      draft.fill = readChoice(reader, field, FILLS)
      return
    case 'statuses':
      requireFirst(reader, field, draft.statuses)
      draft.statuses = readSwitch(reader, field)
      return
    case 'event_times':
      requireFirst(reader, field, draft.eventTimes)
      draft.eventTimes = readSwitch(reader, field)
      return
    case 'block':
      requireFirst(reader, field, draft.form)
      draft.form = readChoice(reader, field, FORMS)
      return
    case 'schema':
      requireFirst(reader, field, draft.schema)
      draft.schema = readChoice(reader, field, SCHEMAS)
      return
    case 'deadline_ms':
      requireFirst(reader, field, draft.deadlineMs)
      draft.deadlineMs = readDeadline(reader)
      return
    default:
      throw unknownField(reader, field)
  }
}

function finished(draft: Draft): ReadRequest {
  const { service, references, columns } = draft
  if ((service === undefined) === (references === undefined)) {
    const many = service === undefined ? 'neither' : 'both'
    throw new Fault('invalid_request', `the request has ${many} "feature_service" and "features"`, {
      allowed: 'exactly one of the two',
    })
  }
  if (columns === undefined) {
    throw new Fault('invalid_request', 'the request has no "entities"', {
      allowed: '"entities": an object of join key -> values; {} where no view has a key',
    })
  }
  requireCells(requireEqualLengths(columns), references?.length ?? 1)
  return {
    service: service ?? '',
    references: references ?? [],
    columns,
    fill: draft.fill ?? 'null',
    statuses: draft.statuses ?? false,
    eventTimes: draft.eventTimes ?? false,
    form: draft.form ?? 'rows',
    schema: draft.schema ?? 'include',
    deadlineMs: draft.deadlineMs ?? Infinity,
  }
}

function readReferences(reader: RequestReader): string[] {
  if (reader.kind() !== 'array') {
    throw invalid(reader, 'features', notA(reader, 'list'), 'a list of "view:feature"')
  }
  const references: string[] = []
  reader.enterArray()
  while (reader.nextElement()) {
    if (references.length === FEATURES_PER_REQUEST_MAX) {
      throw tooLarge(reader, 'features', `${FEATURES_PER_REQUEST_MAX} features`)
    }
    references.push(kept(reader, readName(reader, 'features', references.length)))
  }
  if (references.length > 0) return references
  throw invalid(reader, 'features', 'the list is empty', 'at least one "view:feature"')
}

function readColumns(reader: RequestReader): EntityColumn[] {
  if (reader.kind() !== 'map') {
    throw invalid(reader, 'entities', notA(reader, 'object'), 'an object of join key -> values')
  }
  const columns: EntityColumn[] = []
  reader.enterMap()
  for (let name = reader.nextKey(); name !== undefined; name = reader.nextKey()) {
    if (columns.length === COLUMNS_PER_REQUEST_MAX) {
      throw tooLarge(reader, 'entities', `${COLUMNS_PER_REQUEST_MAX} columns`)
    }
    for (const column of columns) {
      if (column.name === name) throw givenTwice(reader, columnPath(name))
    }
    columns.push({ name, values: readColumn(reader, name) })
  }
  return columns
}

function readColumn(reader: RequestReader, name: string): RequestScalar[] {
  const kind = reader.kind()
  if (kind === 'scalar') return [reader.readScalar()]
  if (kind === 'map') {
    throw invalid(reader, columnPath(name), 'an object stands here', 'one value, or a list of them')
  }
  const values: RequestScalar[] = []
  reader.enterArray()
  while (reader.nextElement()) {
    if (values.length === ENTITIES_PER_REQUEST_MAX) {
      throw tooLarge(reader, columnPath(name), `${ENTITIES_PER_REQUEST_MAX} values a column`)
    }
    if (reader.kind() !== 'scalar') {
      const path = `${columnPath(name)}[${values.length}]`
      throw invalid(reader, path, `${article(reader)} stands here`, 'a number, a text or bytes')
    }
    values.push(reader.readScalar())
  }
  if (values.length > 0) return values
  throw invalid(reader, columnPath(name), 'the column is empty', 'at least one value')
}

const columnPath = (name: string): string => `entities.${shortened(name)}`

/** `index` is the place in a list, or -1 for a field of its own. */
function readName(reader: RequestReader, field: string, index: number): string {
  const found = reader.kind() === 'scalar' ? reader.readScalar() : undefined
  if (typeof found === 'string' && found !== '') return found
  const path = index === -1 ? field : `${field}[${index}]`
  const message =
    found === undefined ? `${article(reader)} stands here` : `${shown(found)} is no name`
  throw invalid(reader, path, message, 'a text that is not empty')
}

function readChoice<T extends string>(
  reader: RequestReader,
  field: string,
  allowed: readonly T[],
): T {
  const choices = allowed.map((choice) => `"${choice}"`).join(', ')
  const given = readOneScalar(reader, field, choices)
  const choice = allowed.find((one) => one === given)
  if (choice === undefined) throw invalid(reader, field, `${shown(given)} is no choice`, choices)
  return choice
}

function readSwitch(reader: RequestReader, field: string): boolean {
  const given = readOneScalar(reader, field, 'true or false')
  if (typeof given === 'boolean') return given
  throw invalid(reader, field, `${shown(given)} is neither true nor false`, 'true or false')
}

function readDeadline(reader: RequestReader): number {
  const allowed = 'a positive number of milliseconds'
  const given = readOneScalar(reader, 'deadline_ms', allowed)
  if (typeof given === 'number' && given > 0 && given < Infinity) return given
  throw invalid(reader, 'deadline_ms', `${shown(given)} is no deadline`, allowed)
}

function readOneScalar(reader: RequestReader, path: string, allowed: string): RequestScalar {
  if (reader.kind() === 'scalar') return reader.readScalar()
  throw invalid(reader, path, `${article(reader)} stands here`, allowed)
}

/** The rows of the request. */
function requireEqualLengths(columns: readonly EntityColumn[]): number {
  let rows = 1
  let longest = ''
  for (const { name, values } of columns) {
    if (values.length === 1 || values.length === rows) continue
    if (rows !== 1) {
      throw new Fault(
        'invalid_request',
        `entity columns differ in length: "${longest}" has ${rows} values, "${shortened(name)}" ${values.length}`,
        {
          where: columnPath(name),
          allowed: 'one length for all columns, or one value',
        },
      )
    }
    rows = values.length
    longest = shortened(name)
  }
  return rows
}

/** A service's features are counted when the request is planned. */
function requireCells(rows: number, features: number): void {
  if (rows * features <= CELLS_PER_REQUEST_MAX) return
  throw new Fault('too_large', `the request asks for ${rows} rows of ${features} features`, {
    allowed: `at most ${CELLS_PER_REQUEST_MAX} values: ask in parts`,
  })
}

function requireFirst(reader: RequestReader, field: string, given: unknown): void {
  if (given !== undefined) throw givenTwice(reader, field)
}

const givenTwice = (reader: RequestReader, path: string): Fault =>
  invalid(reader, path, 'it is given twice', 'one of each')

function unknownField(reader: RequestReader, field: string): Fault {
  const meant = closestName(field, FIELDS)
  const hint = meant === undefined ? '' : `; did you mean "${meant}"?`
  const message = `there is no field "${shortened(field)}"${hint}`
  return invalid(reader, shortened(field), message, FIELDS.join(', '))
}

function invalid(reader: RequestReader, path: string, message: string, allowed: string): Fault {
  return new Fault('invalid_request', message, { where: place(reader, path), allowed })
}

function tooLarge(reader: RequestReader, path: string, bound: string): Fault {
  return new Fault('too_large', 'there are too many', {
    where: place(reader, path),
    allowed: `at most ${bound}`,
  })
}

const place = (reader: RequestReader, path: string): string =>
  `${path}${path === '' ? '' : ', '}byte ${reader.byteOffset()}`

const article = (reader: RequestReader): string =>
  reader.kind() === 'map' ? 'an object' : 'a list'

const notA = (reader: RequestReader, kind: string): string =>
  reader.kind() === 'scalar'
    ? `${shown(reader.readScalar())} is no ${kind}`
    : `${article(reader)} stands here`

/** What was sent, short enough to be sent back. */
function shown(value: RequestScalar): string {
  if (typeof value === 'string') return `"${shortened(value)}"`
  return value instanceof Uint8Array ? `a value of ${value.length} bytes` : String(value)
}

const shortened = (text: string): string => (text.length <= 64 ? text : `${text.slice(0, 64)}…`)

/**
 * A text cut from a body may hold on to the whole body, and plans are cached by name: names from
 * bodies larger than this get bytes of their own.
 */
const SHARED_BODY_BYTES_MAX = 8192

const kept = (reader: RequestReader, name: string): string =>
  reader.bodyBytes > SHARED_BODY_BYTES_MAX ? Buffer.from(name).toString() : name
