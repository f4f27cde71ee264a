/** A setting as someone wrote it somewhere: text, and the place it stands. */
import type { Fault } from '../base/fault.ts'
import type { OptionName } from './options.ts'

/** In order of precedence. */
export const SOURCES = ['flag', 'environment', 'file'] as const
export type GivenSource = (typeof SOURCES)[number]

export type Given = {
  readonly option: OptionName
  /**
   * One text, or several for an option that may be repeated. None where the option was meant and
   * mistyped: a fault tells that already, and so it must not be told as missing too.
   */
  readonly texts: readonly string[]
  readonly source: GivenSource
  /** `--port`, `SALVER_PORT` or `salver.yaml:3`. */
  readonly place: string
}

/** What one flag or key came to: what it says, what is wrong with it, or both. */
export type ParsedGiven = { readonly given: Given | undefined; readonly fault: Fault | undefined }

export const taken = (given: Given): ParsedGiven => ({ given, fault: undefined })

/** `option` is what was meant, if that can be told. */
export const slipped = (
  source: GivenSource,
  option: OptionName | undefined,
  fault: Fault,
): ParsedGiven => ({
  given: option === undefined ? undefined : { option, texts: [], source, place: fault.where ?? '' },
  fault,
})
