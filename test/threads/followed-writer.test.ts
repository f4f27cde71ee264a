/** Every serving thread hears of a write before it is acknowledged, whatever became of it. */
import { expect, test } from 'bun:test'
import { Fault } from '../../src/base/fault.ts'
import type { JudgingWriter } from '../../src/ingest/store-sink.ts'
import { OUTCOME } from '../../src/row/order-rule.ts'
import type { TableSpec } from '../../src/store/store.ts'
import type { WriteBatch } from '../../src/store/write-batch.ts'
import { NO_UNITS } from '../../src/store/write-batch.ts'
import type { RowsWritten } from '../../src/threads/followed-writer.ts'
import { FollowedWriter } from '../../src/threads/followed-writer.ts'
import { SAMPLE_SPEC, sampleBatch } from '../store/sample-table.ts'

/** A store that does what the test says, and keeps what it was asked. */
class HandStore implements JudgingWriter {
  readonly opened: TableSpec[] = []
  readonly written: WriteBatch[] = []
  isMissing = false
  failure: Fault | undefined

  async openTable(spec: TableSpec) {
    if (this.isMissing) throw new Fault('unavailable', 'no such table')
    this.opened.push(spec)
    return { table: 40 + this.opened.length, layout: 7 }
  }

  async writeMany(batch: WriteBatch) {
    this.written.push(batch)
    if (this.failure !== undefined) throw this.failure
    return this.judgeMany(batch)
  }

  async judgeMany(batch: WriteBatch) {
    const outcomes = new Uint8Array(batch.count).fill(OUTCOME.changed)
    return { outcomes, bytesWritten: 1, ...NO_UNITS }
  }
}

async function openFollowed() {
  const store = new HandStore()
  const writer = new FollowedWriter(store, () => ({ puts: store.written.length }), true)
  const told: RowsWritten[][] = [[], []]
  const readers = told.map((list) => writer.attachReader((update) => void list.push(update)).reader)
  const handle = await writer.openTable(SAMPLE_SPEC)
  const batch = (id: number): WriteBatch =>
    sampleBatch(handle, [{ id, timeUs: 1, value: id }], 'direct')
  return { store, writer, told, readers, batch }
}

/** True once everything that can happen by itself has happened and the promise still waits. */
async function isPending(promise: Promise<unknown>): Promise<boolean> {
  let isSettled = false
  const settled = (): void => void (isSettled = true)
  promise.then(settled, settled)
  await Bun.sleep(1)
  return !isSettled
}

test('a write is acknowledged when the last thread has acknowledged it', async () => {
  const { store, writer, told, readers, batch } = await openFollowed()
  const writing = writer.writeMany(batch(5))
  expect(await isPending(writing)).toBe(true)
  expect(told.map((list) => list.length)).toEqual([1, 1])
  const [update] = told[0]!
  expect(update).toMatchObject({ number: 1, spec: SAMPLE_SPEC })
  expect([...update!.outcomes!]).toEqual([OUTCOME.changed])
  writer.acknowledge(readers[0]!, 1)
  expect(await isPending(writing)).toBe(true)
  writer.acknowledge(readers[1]!, 1)
  expect((await writing).outcomes).toEqual(Uint8Array.of(OUTCOME.changed))
  expect(store.written[0]).toMatchObject({ table: 41, layout: 7 })
  expect(writer.stats().counters).toEqual({ puts: 1 })
})

test('writes under way together are each acknowledged by their own number', async () => {
  const { writer, readers, batch } = await openFollowed()
  const first = writer.writeMany(batch(1))
  const second = writer.writeMany(batch(2))
  await Bun.sleep(1)
  for (const reader of readers) writer.acknowledge(reader, 1)
  await first
  expect(await isPending(second)).toBe(true)
  for (const reader of readers) writer.acknowledge(reader, 2)
  await second
})

test('a write that failed is told too: nobody knows what of it was written', async () => {
  const { store, writer, told, readers, batch } = await openFollowed()
  store.failure = new Fault('write_failed', 'throttled for too long')
  const writing = writer.writeMany(batch(5))
  writing.catch(() => {})
  expect(await isPending(writing)).toBe(true)
  expect(told[1]![0]).toMatchObject({ number: 1, outcomes: undefined })
  for (const reader of readers) writer.acknowledge(reader, 1)
  await expect(writing).rejects.toMatchObject({ code: 'write_failed' })
})

test('a table is opened when it is first written, and again after it was missing', async () => {
  const { store, writer, told, readers, batch } = await openFollowed()
  expect(store.opened).toEqual([])
  store.isMissing = true
  await expect(writer.writeMany(batch(1))).rejects.toThrow('no such table')
  expect(told).toEqual([[], []])
  store.isMissing = false
  expect((await writer.judgeMany(batch(1))).outcomes.length).toBe(1)
  const writing = writer.writeMany(batch(1))
  await isPending(writing)
  for (const reader of readers) writer.acknowledge(reader, 1)
  await writing
  expect(store.opened).toEqual([SAMPLE_SPEC])
})

test('closing waits for every write under way', async () => {
  const { writer, readers, batch } = await openFollowed()
  const writes = [writer.writeMany(batch(1)), writer.writeMany(batch(2))]
  const closing = writer.close()
  expect(await isPending(closing)).toBe(true)
  for (const reader of readers) writer.acknowledge(reader, 2)
  await Promise.all([...writes, closing])
})
