/** Readers in other threads beside writes, compaction and a growing index. */
import { expect, test } from 'bun:test'
import type { EmbeddedWriter } from '../../src/store/embedded/embedded-writer.ts'
import { openEmbeddedWriter } from '../../src/store/embedded/embedded-store.ts'
import { SeededRandom, stepsOf } from '../base/seeded-random.ts'
import { SMALL_SIZES, newDirectory, removeDirectory } from './data-directory.ts'
import type { FromReader, ReaderReport, ToReader } from './reader-worker.ts'
import type { SampleEntry } from './sample-table.ts'
import { SAMPLE_SPEC, sampleBatch } from './sample-table.ts'

const KEYS = 8_000

class ReaderThread {
  readonly #worker = new Worker(new URL('./reader-worker.ts', import.meta.url))
  readonly #report = Promise.withResolvers<ReaderReport>()

  constructor(writer: EmbeddedWriter, table: number) {
    const post = (message: ToReader) => this.#worker.postMessage(message)
    const { reader, index } = writer.attachReader((update) => post({ kind: 'update', update }))
    this.#worker.onmessage = ({ data }: MessageEvent<FromReader>) => {
      if (data.kind === 'acknowledge') writer.acknowledge(reader, data.number)
      else {
        writer.detachReader(reader)
        this.#report.resolve(data.report)
      }
    }
    this.#worker.onerror = (event) => this.#report.reject(new Error(event.message))
    post({ kind: 'start', index, table, keys: KEYS })
  }

  async stop(): Promise<ReaderReport> {
    this.#worker.postMessage({ kind: 'stop' } satisfies ToReader)
    const report = await this.#report.promise
    this.#worker.terminate()
    return report
  }
}

/** A new row, or the last one again at a later time: 999 touches at most between two rows. */
class Rows {
  readonly #values = new Map<number, number>()

  next(id: number, timeUs: number, random: SeededRandom): SampleEntry {
    const held = this.#values.get(id)
    const isTouch = held !== undefined && timeUs - Math.floor(held / 10_000) < 1000
    const value = isTouch && random.chance(0.5) ? held : timeUs * 10_000 + id
    this.#values.set(id, value)
    return { id, timeUs, value, blobBytes: id % 300 }
  }
}

test('readers in threads see whole rows that never go back, whatever the writer does', async () => {
  const random = new SeededRandom('reader threads')
  const dir = newDirectory()
  const { writer, state } = await openEmbeddedWriter({
    dir,
    durability: 'process',
    sizes: { ...SMALL_SIZES, segmentBytes: 256 * 1024, groupBytesMax: 64 * 1024 },
  })
  const handle = await writer.openTable(SAMPLE_SPEC)
  const threads = [new ReaderThread(writer, handle.table), new ReaderThread(writer, handle.table)]
  const rows = new Rows()
  let timeUs = 1
  for (let step = 0; step < stepsOf(200); step++) {
    const keys = Math.min(KEYS, 100 + step * 60)
    const entries = Array.from({ length: 200 }, () =>
      rows.next(random.below(keys), timeUs++, random),
    )
    await writer.writeMany(sampleBatch(handle, entries, 'batch'))
    if (random.chance(0.02)) await writer.compact()
  }
  const reports = await Promise.all(threads.map((thread) => thread.stop()))
  for (const { faults, rows: checked, updates } of reports) {
    expect(faults).toEqual([])
    expect(checked).toBeGreaterThan(1000)
    expect(updates).toBeGreaterThan(100)
  }
  expect(state.counters.segmentsRetired).toBeGreaterThan(10)
  expect(state.counters.shardsGrown).toBeGreaterThan(100)
  expect((await writer.verify()).damages).toEqual([])
  await writer.close()
  removeDirectory(dir)
}, 600_000)
