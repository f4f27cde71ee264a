/** What kinds of value an option can have: how its text is read, and what is allowed. */
import { isIP } from 'node:net'
import { DURATION_ALLOWED, durationText, parseDurationUs } from '../catalog/parse-duration.ts'

export type Kind<T> = {
  /** What stands for the value in help, '' for a switch. */
  readonly placeholder: string
  /** What is allowed, as the end of a sentence. */
  readonly allowed: string
  /** A relative path in a config file is relative to that file's folder. */
  readonly isPath: boolean
  /** A switch is a flag without a value, and has a `--no-` form. */
  readonly isSwitch: boolean
  /** May be given many times; each text is read alone. */
  readonly repeats: boolean
  /** Undefined for a text that is not allowed. `texts` has one text unless the kind repeats. */
  readonly parse: (texts: readonly string[]) => T | undefined
}

type Single<T> = { placeholder: string; allowed: string; parse: (text: string) => T | undefined }

const single = <T>(kind: Single<T>): Kind<T> => ({
  ...kind,
  isPath: false,
  isSwitch: false,
  repeats: false,
  parse: (texts) => kind.parse(texts[0] ?? ''),
})

const notEmpty = (text: string): string | undefined => (text === '' ? undefined : text)

export const text = (placeholder: string): Kind<string> =>
  single({ placeholder, allowed: 'a text that is not empty', parse: notEmpty })

export const path = (placeholder: string): Kind<string> => ({
  ...single({ placeholder, allowed: 'a path', parse: notEmpty }),
  isPath: true,
})

export const choice = <const Name extends string>(...names: readonly Name[]): Kind<Name> =>
  single({
    placeholder: names.join('|'),
    allowed: names.join(', '),
    parse: (text) => names.find((name) => name === text),
  })

const SWITCH_TEXTS: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['1', true],
  ['false', false],
  ['0', false],
])

export const onOff: Kind<boolean> = {
  ...single({
    placeholder: '',
    allowed: 'true, false, 1, 0',
    parse: (text) => SWITCH_TEXTS.get(text),
  }),
  isSwitch: true,
}

export const count = (min: number, max: number): Kind<number> =>
  single({
    placeholder: 'N',
    allowed: `an integer from ${min} to ${max}`,
    parse: (text) => parseInteger(text, min, max),
  })

export const port: Kind<number> = { ...count(0, 65535), placeholder: 'PORT' }

function parseInteger(text: string, min: number, max: number): number | undefined {
  if (!/^\d{1,16}$/.test(text)) return undefined
  const value = Number(text)
  return value >= min && value <= max ? value : undefined
}

/** A length of time in microseconds. */
export const duration = (maxUs: number): Kind<number> =>
  single({
    placeholder: 'TIME',
    allowed: `${DURATION_ALLOWED}, of at most ${durationText(maxUs)}`,
    parse: (text) => parseDuration(text, maxUs),
  })

function parseDuration(text: string, maxUs: number): number | undefined {
  const us = parseDurationUs(text)
  return us !== undefined && us <= maxUs ? us : undefined
}

const SIZE_UNITS: ReadonlyMap<string, number> = new Map([
  ['KiB', 1024],
  ['MiB', 1024 ** 2],
  ['GiB', 1024 ** 3],
])

/** A size in bytes. */
export const size = (maxBytes: number): Kind<number> =>
  single({
    placeholder: 'SIZE',
    allowed: `0, or a whole number of KiB, MiB or GiB such as 64MiB, up to ${maxBytes / 1024 ** 3}GiB`,
    parse: (text) => parseSize(text, maxBytes),
  })

function parseSize(text: string, maxBytes: number): number | undefined {
  if (text === '0') return 0
  const [, digits = '', unit = ''] = /^(\d{1,6})([KMG]iB)$/.exec(text) ?? []
  const bytes = Number(digits) * (SIZE_UNITS.get(unit) ?? NaN)
  return bytes <= maxBytes ? bytes : undefined
}

/** An address or a host name to listen on. */
export const host: Kind<string> = single({
  placeholder: 'HOST',
  allowed: 'an IP address or a host name',
  parse: (text) =>
    isIP(text) !== 0 || /^[A-Za-z0-9]([A-Za-z0-9.-]*)$/.test(text) ? text : undefined,
})

/** The origin of a server: scheme, host and port. */
export const serverUrl: Kind<string> = single({
  placeholder: 'URL',
  allowed: 'http://HOST:PORT or https://HOST:PORT, without a path',
  parse: parseOrigin,
})

function parseOrigin(text: string): string | undefined {
  const url = URL.parse(text)
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) return undefined
  const bare = url.pathname === '/' && url.search === '' && url.hash === '' && url.username === ''
  return bare ? url.origin : undefined
}

export const references: Kind<readonly string[]> = {
  placeholder: 'VIEW:FEATURE',
  allowed: 'VIEW:FEATURE',
  isPath: false,
  isSwitch: false,
  repeats: true,
  parse: (texts) => (texts.every((text) => /^[^:]+:[^:]+$/.test(text)) ? texts : undefined),
}

export type NamedValue = readonly [name: string, value: string]

export const namedValues: Kind<readonly NamedValue[]> = {
  placeholder: 'NAME=VALUE',
  allowed: 'NAME=VALUE',
  isPath: false,
  isSwitch: false,
  repeats: true,
  parse: parseNamedValues,
}

function parseNamedValues(texts: readonly string[]): readonly NamedValue[] | undefined {
  const values: NamedValue[] = []
  for (const text of texts) {
    const equals = text.indexOf('=')
    if (equals < 1) return undefined
    values.push([text.slice(0, equals), text.slice(equals + 1)])
  }
  return values
}
