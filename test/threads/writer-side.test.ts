/** The writer's side with two serving threads' ports, in one thread: the same code over real ports. */
import { afterAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Fault } from '../../src/base/fault.ts'
import { FUTURE_MARGIN_US } from '../../src/base/limits.ts'
import type { Catalog } from '../../src/catalog/catalog.ts'
import { OUTCOME } from '../../src/row/order-rule.ts'
import { Answerer } from '../../src/query/answerer.ts'
import { nativePlans } from '../../src/query/plan-cache.ts'
import { openEmbeddedWriter } from '../../src/store/embedded/embedded-store.ts'
import { EmbeddedReader } from '../../src/store/embedded/embedded-reader.ts'
import { nodeDisk } from '../../src/store/embedded/node-disk.ts'
import type { ReaderUpdate } from '../../src/store/embedded/shared-index.ts'
import { receivedCatalog } from '../../src/threads/received-catalog.ts'
import { WriterLink } from '../../src/threads/writer-link.ts'
import { WriterSide } from '../../src/threads/writer-side.ts'
import { smallCatalog } from '../query/small-catalog.ts'

const folders: string[] = []
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })))

const NARROW = smallCatalog([{ name: 'v', keys: { id: 'INT64' }, features: { a: 'INT64' } }])
const WIDE = smallCatalog([
  { name: 'v', keys: { id: 'INT64' }, features: { a: 'INT64', b: 'INT64' } },
])

async function openSides(catalog: Catalog) {
  const dir = mkdtempSync(join(tmpdir(), 'salver-sides-'))
  folders.push(dir)
  const { writer } = await openEmbeddedWriter({ dir, durability: 'process' })
  const side = await WriterSide.open({ writer, catalog, futureMarginUs: FUTURE_MARGIN_US })
  const links = [0, 1].map(() => {
    const { port1, port2 } = new MessageChannel()
    const reader = new EmbeddedReader(side.serve(port2), nodeDisk)
    const link = new WriterLink(port1, (update: ReaderUpdate) => reader.apply(update))
    return Object.assign(link, { reader })
  })
  return { first: links[0]!, second: links[1]! }
}

type Linked = WriterLink<ReaderUpdate> & { readonly reader: EmbeddedReader }

const write = (link: Linked, row: object, view = 'v') =>
  link.write({
    view,
    lane: 'direct',
    format: 'json',
    dryRun: false,
    body: new TextEncoder().encode(
      JSON.stringify([{ event_timestamp: '2026-01-01T00:00:00Z', ...row }]),
    ),
  })

/** Value of a feature, as the reader of a link finds it. */
function valueOf(link: Linked, catalog: Catalog, feature: string, id: number): unknown {
  const answerer = new Answerer(link.reader, () => Date.now() * 1000)
  const asked = {
    service: '',
    references: [`v:${feature}`],
    columns: [{ name: 'id', values: [id] }],
    fill: 'null',
    statuses: true,
    eventTimes: false,
    form: 'matrix',
    deadlineMs: Infinity,
  } as const
  const plan = nativePlans(link.reader).planFor(catalog, asked)
  return answerer.answer(plan, asked, (answer) => {
    const { batch, rowStates } = answer
    if (rowStates[0] !== 0) return undefined
    const { layout, features } = answer.blocks[0]!.plan
    const at = batch.rowStarts[0]! + layout.slots[features[0]!]!
    return Number(new DataView(batch.rows.buffer).getBigInt64(at, true))
  })
}

test('what one thread wrote, every thread reads', async () => {
  const { first, second } = await openSides(NARROW)
  const { outcomes } = await write(first, { id: 1, a: 7 })
  expect([...outcomes]).toEqual([OUTCOME.new])
  expect(valueOf(first, NARROW, 'a', 1)).toBe(7)
  expect(valueOf(second, NARROW, 'a', 1)).toBe(7)
  await first.close()
})

test('rows are written by a new catalog only once every thread answers by it', async () => {
  const { first, second } = await openSides(NARROW)
  await first.prepare({ generation: 2, catalog: WIDE })
  let isAdopted = false
  const adopted = first.adopt(2).then(() => void (isAdopted = true))
  expect((await write(first, { id: 1, a: 1 })).rejected).toEqual([])
  expect(isAdopted).toBe(false)
  await second.adopt(2)
  await adopted
  expect((await write(second, { id: 2, a: 2, b: 20 })).rejected).toEqual([])
  expect([1, 2].map((id) => valueOf(first, WIDE, 'a', id))).toEqual([1, 2])
  expect(valueOf(second, WIDE, 'b', 2)).toBe(20)
  await first.close()
})

test('a catalog that was not prepared is not adopted', async () => {
  const { first } = await openSides(NARROW)
  await expect(first.adopt(9)).rejects.toThrow('catalog 9 was not prepared')
  await first.close()
})

test('a view that there is not is a fault that names those there are', async () => {
  const { first } = await openSides(NARROW)
  await expect(write(first, { id: 1, a: 1 }, 'w')).rejects.toMatchObject({
    code: 'unknown_view',
    allowed: 'v',
  })
  await first.close()
})

test('whoever waits for a writer thread that ends learns why, also afterwards', async () => {
  const { first } = await openSides(NARROW)
  const waiting = first.stats()
  first.fail(new Fault('unavailable', 'it is gone'))
  await expect(waiting).rejects.toThrow('it is gone')
  await expect(first.stats()).rejects.toThrow('it is gone')
})

test('a catalog that came by message is the one that was sent', () => {
  const received = receivedCatalog(structuredClone(WIDE))
  expect(received).toEqual(WIDE)
  expect(received.views[0]!.features[0]!.type).toBe(WIDE.views[0]!.features[0]!.type)
  expect(Object.isFrozen(received.views[0])).toBe(true)
})
