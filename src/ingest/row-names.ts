/** How a source calls what a view's rows are made of, and what it means where a name is missing. */
import { Fault } from '../base/fault.ts'
import type { FeatureView } from '../catalog/catalog.ts'
import { deletedMarkOf } from './row-marks.ts'
import type { TimeUnit } from './time-value.ts'

const DEFAULT_TIME_FIELD = 'event_timestamp'

export type RowNames = {
  /** Names of the source, parallel to the view's features and join keys. */
  readonly features: readonly string[]
  readonly joinKeys: readonly string[]
  readonly time: string
  /** All of the above: what a row has to hold. */
  readonly needed: readonly string[]
  /** '' where there is none. */
  readonly created: string
  readonly timeUnit: TimeUnit
  /**
   * A file's rows may leave out nulls and hold more than the view asks for. A row that is written
   * directly is either what its view says or a mistake, and nulls that nobody meant would be kept.
   */
  readonly isStrict: boolean
}

/** The names of a batch: those that the view's own source declares, mapped as it says. */
export function batchNames(view: FeatureView): RowNames {
  const source = view.batchSource
  const sourceNames = new Map<string, string>()
  for (const [column, name] of source?.fieldMapping ?? []) sourceNames.set(name, column)
  // Feast lets a time field be given by either of its names.
  const inSource = (name: string): string => sourceNames.get(name) ?? name
  const features = view.features.map(({ name }) => inSource(name))
  const joinKeys = view.joinKeys.map(({ name }) => inSource(name))
  const time = inSource(source?.timestampField || DEFAULT_TIME_FIELD)
  return {
    features,
    joinKeys,
    time,
    needed: distinct([...joinKeys, ...features, time]),
    created: source === undefined ? '' : inSource(source.createdTimestampField),
    timeUnit: source?.timestampUnit ?? '',
    isStrict: false,
  }
}

/** The names of a row that is written directly: the view's own. */
export function directNames(view: FeatureView): RowNames {
  const features = view.features.map(({ name }) => name)
  const joinKeys = view.joinKeys.map(({ name }) => name)
  return {
    features,
    joinKeys,
    time: DEFAULT_TIME_FIELD,
    needed: distinct([...joinKeys, ...features, DEFAULT_TIME_FIELD]),
    created: '',
    timeUnit: view.batchSource?.timestampUnit ?? '',
    isStrict: true,
  }
}

/** The same, with the view's own name for the event time where the rows have that one. */
export function namesFor(
  names: RowNames,
  view: FeatureView,
  has: (name: string) => boolean,
): RowNames {
  const own = view.batchSource?.timestampField ?? ''
  if (!names.isStrict || own === '' || has(names.time) || !has(own)) return names
  return {
    ...names,
    time: own,
    needed: names.needed.map((name) => (name === names.time ? own : name)),
  }
}

const distinct = (names: readonly string[]): readonly string[] => [...new Set(names)]

/** Faults where a row could never be whole; gives the columns that no row needs. */
export function checkColumns(
  names: RowNames,
  columns: readonly string[],
  where: string,
): readonly string[] {
  const needed = names.created === '' ? names.needed : [...names.needed, names.created]
  const missing = needed.filter((name) => !columns.includes(name))
  if (missing.length > 0) {
    const what =
      missing.length === 1
        ? `there is no column ${missing[0]}`
        : `there are no columns ${missing.join(', ')}`
    throw new Fault(names.isStrict ? 'invalid_row' : 'source_invalid', what, {
      where,
      allowed: `it has ${columns.join(', ')}`,
    })
  }
  const mark = deletedMarkOf(names)
  const unknown = columns.filter((name) => !needed.includes(name) && name !== mark)
  if (names.isStrict && unknown.length > 0) {
    throw new Fault('invalid_row', `there is no feature ${unknown[0]}`, {
      where,
      allowed: needed.join(', '),
    })
  }
  return unknown
}
