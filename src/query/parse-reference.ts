/** `view:feature` and `view@v2:feature`, as Feast reads them. */

export type Reference = {
  readonly view: string
  /** -1 where none is asked for. */
  readonly version: number
  readonly feature: string
}

const VERSION = /^v(\d{1,9})$/i

/** Undefined without a colon. A text after `@` that names no version belongs to the view's name. */
export function parseReference(text: string): Reference | undefined {
  const colon = text.indexOf(':')
  if (colon === -1) return undefined
  const named = text.slice(0, colon)
  const feature = text.slice(colon + 1)
  const at = named.indexOf('@')
  if (at === -1) return { view: named, version: -1, feature }
  const suffix = named.slice(at + 1)
  const view = named.slice(0, at)
  if (suffix === '' || suffix.toLowerCase() === 'latest') return { view, version: -1, feature }
  const version = VERSION.exec(suffix)
  if (version === null) return { view: named, version: -1, feature }
  return { view, version: Number(version[1]), feature }
}
