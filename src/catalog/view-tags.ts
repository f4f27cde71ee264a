/** What Feast has no word for stands on its views as tags `salver.<key>`, named as in features.yaml. */
import { closestName } from '../base/closest-name.ts'
import type { FeatureView } from './catalog.ts'
import { DURATION_ALLOWED, parseDurationUs } from './parse-duration.ts'

export type ViewOptions = Pick<
  FeatureView,
  'partial' | 'wide' | 'cacheMaxStalenessMs' | 'staleIfError' | 'freshnessSloUs'
>

export type TagFault = { readonly message: string; readonly allowed: string }

const PREFIX = 'salver.'
const KEYS = ['partial', 'wide', 'cache_max_staleness', 'stale_if_error', 'freshness_slo'] as const

export function readViewTags(tags: ReadonlyMap<string, string>, faults: TagFault[]): ViewOptions {
  refuseUnknownTags(tags, faults)
  return {
    partial: readFlag(tags, 'partial', faults),
    wide: readFlag(tags, 'wide', faults),
    cacheMaxStalenessMs: readDurationUs(tags, 'cache_max_staleness', faults) / 1000,
    staleIfError: readFlag(tags, 'stale_if_error', faults),
    freshnessSloUs: readDurationUs(tags, 'freshness_slo', faults),
  }
}

type Key = (typeof KEYS)[number]

function refuseUnknownTags(tags: ReadonlyMap<string, string>, faults: TagFault[]): void {
  for (const tag of tags.keys()) {
    const key = tag.startsWith(PREFIX) ? tag.slice(PREFIX.length) : 'partial'
    if ((KEYS as readonly string[]).includes(key)) continue
    const closest = closestName(key, KEYS)
    const hint = closest === undefined ? '' : ` (did you mean "${PREFIX}${closest}"?)`
    faults.push({
      message: `tag ${JSON.stringify(tag)} is unknown${hint}`,
      allowed: KEYS.map((known) => PREFIX + known).join(', '),
    })
  }
}

function readFlag(tags: ReadonlyMap<string, string>, key: Key, faults: TagFault[]): boolean {
  const text = tags.get(PREFIX + key)
  const word = text?.toLowerCase() // str(True) in Python is "True"
  if (word === undefined || word === 'true' || word === 'false') return word === 'true'
  faults.push({
    message: `tag "${PREFIX}${key}" is ${JSON.stringify(text)}`,
    allowed: 'true or false',
  })
  return false
}

function readDurationUs(tags: ReadonlyMap<string, string>, key: Key, faults: TagFault[]): number {
  const text = tags.get(PREFIX + key)
  if (text === undefined) return 0
  const us = parseDurationUs(text)
  if (us !== undefined) return us
  faults.push({
    message: `tag "${PREFIX}${key}" is ${JSON.stringify(text)}`,
    allowed: DURATION_ALLOWED,
  })
  return 0
}
