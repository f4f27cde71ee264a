/** A zoned timestamp as ISO 8601 text in its zone, as Feast shows it. */
import type { ZonedValue } from './plain-forms.ts'

/** Feast's mark for a missing instant. */
const NOT_A_TIME = -(2n ** 63n)

/** Years 1 to 9999: others have no ISO text of four digits (Python can't hold them either). */
const SECONDS_MIN = -62_135_596_800
const SECONDS_MAX = 253_402_300_799

const formats = new Map<string, Intl.DateTimeFormat>()
/** Zone names come with the rows: past this they are looked up anew. */
const FORMATS_MAX = 256

/** Null for a missing instant, or one outside the years 1 to 9999. An unknown zone counts as UTC. */
export function zonedText({ seconds, zone }: ZonedValue): string | null {
  if (seconds === NOT_A_TIME) return null
  const instant = Number(seconds)
  if (instant < SECONDS_MIN || instant > SECONDS_MAX) return null
  const offset = offsetSeconds(instant, zone)
  const local = new Date((instant + offset) * 1000).toISOString()
  return local.slice(0, local.indexOf('.')) + offsetText(offset)
}

function offsetText(offset: number): string {
  const size = Math.abs(offset)
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0')
  const seconds = size % 60 === 0 ? '' : `:${two(size % 60)}`
  return `${offset < 0 ? '-' : '+'}${two(size / 3600)}:${two((size / 60) % 60)}${seconds}`
}

function offsetSeconds(instant: number, zone: string): number {
  const format = zoneFormat(zone)
  if (format === undefined) return 0
  const part: { [type: string]: string } = {}
  for (const { type, value } of format.formatToParts(instant * 1000)) part[type] = value
  const local = new Date(0) // by parts: Date.UTC takes the years 0 to 99 for 1900 to 1999
  local.setUTCFullYear(Number(part['year']), Number(part['month']) - 1, Number(part['day']))
  local.setUTCHours(Number(part['hour']), Number(part['minute']), Number(part['second']))
  return local.getTime() / 1000 - instant
}

/** Undefined for UTC and for a zone that is not known. */
function zoneFormat(zone: string): Intl.DateTimeFormat | undefined {
  if (zone === '' || zone === 'UTC') return undefined
  const known = formats.get(zone)
  if (known !== undefined) return known
  const made = makeZoneFormat(zone)
  if (made !== undefined && formats.size < FORMATS_MAX) formats.set(zone, made)
  return made
}

function makeZoneFormat(timeZone: string): Intl.DateTimeFormat | undefined {
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
  } catch {
    return undefined // not a zone that the tz database knows: shown in UTC
  }
}
