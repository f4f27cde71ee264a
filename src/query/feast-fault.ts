/** A refusal on Feast's path, in Feast's own words: its clients read them. */

export class FeastFault extends Error {
  readonly status: number
  /** Name of the class in `feast.errors`, or '' for a plain Python exception. */
  readonly className: string

  constructor(status: number, className: string, message: string) {
    super(message)
    this.name = 'FeastFault'
    this.status = status
    this.className = className
  }
}

/** What any exception that is not Feast's own becomes: 500 and its text. */
export const plainFault = (message: string): FeastFault => new FeastFault(500, '', message)

/**
 * Known here and on purpose not served. Feast has no such answer: 422 says that the request asks for
 * it, and Feast's remote client does not retry it as it does a 500.
 */
export const notServedFault = (message: string): FeastFault => new FeastFault(422, '', message)
