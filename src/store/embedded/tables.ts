/** The TABLES file: every table and every layout that rows in the log may name. */
import { Fault } from '../../base/fault.ts'
import { LAYOUTS_MAX, TABLES_MAX } from '../../base/limits.ts'
import type { TableSpec } from '../store.ts'
import { decodeCheckedJson, encodeCheckedJson } from './checked-json.ts'
import type { Disk } from './disk.ts'
import { readWhole, replaceWhole } from './disk.ts'

export type Table = {
  /** Its number, 1 and up: its place in the list, plus 1. */
  readonly table: number
  readonly name: string
  readonly keySignature: string
  readonly isDropped: boolean
}

/** Frozen and cloneable: what the writer tells readers when it changes. */
export type Tables = {
  readonly tables: readonly Table[]
  /** Layout n stands at place n - 1. */
  readonly layouts: readonly Uint8Array[]
}

/** What the file holds, as JSON. A layout's bytes are UTF-8 (row/format.md). */
type TablesFile = { readonly tables: readonly Table[]; readonly layouts: readonly string[] }

const NAME = 'TABLES'

export const NO_TABLES: Tables = Object.freeze({ tables: [], layouts: [] })

export function readTables(disk: Disk, directory: string): Tables {
  const where = `${directory}/${NAME}`
  // It is made before STORE: taken for an empty one, the next table would get the number of another's rows.
  if (disk.names(directory)?.includes(NAME) !== true) {
    throw new Fault('store_damaged', 'the file that names the tables is missing', { where })
  }
  const stored = decodeCheckedJson(readWhole(disk, where)) as TablesFile | undefined // under a checksum
  if (stored === undefined) {
    throw new Fault('store_damaged', 'the file that names the tables is damaged', { where })
  }
  const encoder = new TextEncoder()
  return { tables: stored.tables, layouts: stored.layouts.map((text) => encoder.encode(text)) }
}

export function writeTables(disk: Disk, directory: string, tables: Tables): void {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  const layouts = tables.layouts.map((bytes) => decoder.decode(bytes))
  const stored: TablesFile = { tables: tables.tables, layouts }
  replaceWhole(disk, directory, NAME, encodeCheckedJson(stored))
}

/** The table's number, or 0. */
export function tableNumberOf(tables: Tables, name: string, keySignature: string): number {
  const found = tables.tables.find(
    (table) => !table.isDropped && table.name === name && table.keySignature === keySignature,
  )
  return found?.table ?? 0
}

/** The layout's number, or 0. */
export const layoutNumberOf = (tables: Tables, layout: Uint8Array): number =>
  tables.layouts.findIndex((held) => Buffer.compare(held, layout) === 0) + 1

export function layoutBytesOf(tables: Tables, layout: number): Uint8Array {
  const bytes = tables.layouts[layout - 1]
  if (bytes === undefined) {
    throw new Fault(
      'store_damaged',
      `a row names layout ${layout}, which the store does not have`,
      {
        allowed: `1 to ${tables.layouts.length}`,
      },
    )
  }
  return bytes
}

/** The tables with the one of this spec, and its layout, among them. The same object if they were. */
export function withTable(tables: Tables, spec: TableSpec): Tables {
  const hasTable = tableNumberOf(tables, spec.name, spec.keySignature) !== 0
  const hasLayout = layoutNumberOf(tables, spec.layout) !== 0
  if (hasTable && hasLayout) return tables
  const table = tables.tables.length + 1
  if (!hasTable && table > TABLES_MAX) throw tooMany('tables', TABLES_MAX)
  if (!hasLayout && tables.layouts.length === LAYOUTS_MAX) throw tooMany('layouts', LAYOUTS_MAX)
  const { name, keySignature } = spec
  const added: Table = { table, name, keySignature, isDropped: false }
  return {
    tables: hasTable ? tables.tables : [...tables.tables, added],
    layouts: hasLayout ? tables.layouts : [...tables.layouts, spec.layout.slice()],
  }
}

export const withoutTable = (tables: Tables, dropped: number): Tables => ({
  ...tables,
  tables: tables.tables.map((table) =>
    table.table === dropped ? { ...table, isDropped: true } : table,
  ),
})

const tooMany = (what: string, max: number): Fault =>
  new Fault('store_full', `the store has had ${max} ${what}, as many as it can number`)
