/** A setting as someone wrote it somewhere: text, and the place it stands. */
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
