/** Looks at a catalog's files again and again: a changed good one is handed on, a faulty one refused. */
import { stat } from 'node:fs/promises'
import { Fault } from '../base/fault.ts'
import type { Catalog } from './catalog.ts'
import type { OpenedCatalog } from './open-catalog.ts'
import { openCatalogFiles } from './open-catalog.ts'

export type CatalogWatching = {
  readonly path: string
  /** The one in force: only another is handed on, or after a fault the same again. */
  readonly catalog: Catalog
  readonly pollMs: number
  readonly onCatalog: (catalog: Catalog) => void
  /** Told once for each fault that a poll meets, and by every reload. The old catalog stays in force. */
  readonly onFault: (fault: Fault) => void
}

export type { CatalogWatch }

export const watchCatalog = (watching: CatalogWatching): CatalogWatch => new CatalogWatch(watching)

class CatalogWatch {
  readonly #watching: CatalogWatching
  readonly #timer: Timer
  #digest: string
  #files: readonly string[]
  #stamp = ''
  /** Text of the fault that the last look met, or ''. */
  #fault = ''
  /** Looks follow one another: two at once could hand on the older catalog last. */
  #looking: Promise<void> = Promise.resolve()

  constructor(watching: CatalogWatching) {
    this.#watching = watching
    this.#digest = watching.catalog.digest
    this.#files = []
    this.#timer = setInterval(() => void this.check(), watching.pollMs)
    this.#timer.unref()
  }

  /** One poll: files that look unchanged are not read. */
  check(): Promise<void> {
    return this.#queue(async () => {
      const stamp = await stampOf(this.#files)
      // A faulty catalog may be mended in a file that the faulty one did not lead to.
      const isUnchanged = stamp === this.#stamp && this.#fault === ''
      if (this.#files.length === 0 || !isUnchanged) await this.#look(stamp, false)
    })
  }

  /** Reads the files whatever they look like: for SIGHUP. */
  reload(): Promise<void> {
    return this.#queue(async () => this.#look(await stampOf(this.#files), true))
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #queue(look: () => Promise<void>): Promise<void> {
    this.#looking = this.#looking.then(look)
    return this.#looking
  }

  /** `stamp` was taken before the files are read: what changes from here on is seen by the next look. */
  async #look(stamp: string, isAsked: boolean): Promise<void> {
    const { path, onCatalog } = this.#watching
    const opened = await openCatalogFiles(path, process.env).catch(toFault)
    this.#stamp = stamp
    if (opened instanceof Fault) {
      this.#refuse(opened, isAsked)
      return
    }
    const isMended = this.#fault !== ''
    this.#fault = ''
    if (opened.files.join('\0') !== this.#files.join('\0')) {
      this.#files = opened.files
      this.#stamp = ''
    }
    if (opened.catalog.digest === this.#digest && !isMended) return
    this.#digest = opened.catalog.digest
    onCatalog(opened.catalog)
  }

  #refuse(fault: Fault, isAsked: boolean): void {
    const text = [fault, ...fault.faults]
      .map(({ where, message }) => `${where} ${message}`)
      .join('\n')
    const isKnown = text === this.#fault
    this.#fault = text
    if (isAsked || !isKnown) this.#watching.onFault(fault)
  }
}

/** A watcher must outlive whatever a file holds. */
const toFault = (cause: unknown): OpenedCatalog | Fault =>
  cause instanceof Fault
    ? cause
    : new Fault('catalog_invalid', `the catalog can't be read: ${String(cause)}`, { cause })

/** What changes when a file is written, replaced or removed. */
async function stampOf(files: readonly string[]): Promise<string> {
  const stamps = await Promise.all(
    files.map(async (file) => {
      const found = await stat(file).catch(() => undefined) // a missing file is a stamp of its own
      return found === undefined
        ? '-'
        : `${found.mtimeMs} ${found.ctimeMs} ${found.size} ${found.ino}`
    }),
  )
  return stamps.join('\n')
}
