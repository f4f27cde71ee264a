/** What a table should hold: the order rule once more, in plain words, over a Map. */
import type { OutcomeName } from '../../src/row/order-rule.ts'
import type { SampleEntry, SampleRow } from './sample-table.ts'

type Version = { timeUs: number; readonly row: { value: number; blobBytes: number } | undefined }

export class ModelTable {
  readonly versions = new Map<number, Version>()

  apply({ id, timeUs, value, blobBytes = 8 }: SampleEntry): OutcomeName {
    const row = value === undefined ? undefined : { value, blobBytes }
    const held = this.versions.get(id)
    if (held !== undefined && timeUs < held.timeUs) return 'older'
    const isSame =
      held !== undefined && held.row?.value === row?.value && held.row?.blobBytes === row?.blobBytes
    if (isSame) {
      const outcome = timeUs === held.timeUs ? 'unchanged' : 'touched'
      held.timeUs = timeUs
      return outcome
    }
    this.versions.set(id, { timeUs, row })
    if (row === undefined) return 'deleted'
    return held?.row === undefined ? 'new' : 'changed'
  }

  row(id: number): SampleRow | undefined {
    const version = this.versions.get(id)
    return version?.row === undefined ? undefined : { ...version.row, timeUs: version.timeUs }
  }

  /** Ids that have a row. */
  ids(): number[] {
    return [...this.versions].flatMap(([id, { row }]) => (row === undefined ? [] : [id]))
  }

  get tombstones(): number {
    return this.versions.size - this.ids().length
  }
}
