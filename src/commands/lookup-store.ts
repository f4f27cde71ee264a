/** A look-up straight in a store, through the same plan, answer and encoder as over HTTP. */
import { STORE_READ_MS_MAX } from '../base/limits.ts'
import type { Catalog } from '../catalog/catalog.ts'
import { openCatalog } from '../catalog/open-catalog.ts'
import type { LookupCommand } from '../cli/command.ts'
import { jsonReply } from '../codec/json-reply.ts'
import { Answerer } from '../query/answerer.ts'
import { makePlan } from '../query/make-plan.ts'
import type { Plan, Query } from '../query/query.ts'
import type { RowReader } from '../store/store.ts'
import { openDynamoReading } from './dynamo-reading.ts'
import type { KeyTypes } from './entity-columns.ts'
import { entityColumns } from './entity-columns.ts'
import type { LookupReply } from './lookup-reply.ts'
import { withStore } from './open-data.ts'

export async function lookupInStore(command: LookupCommand): Promise<LookupReply> {
  const catalog = await openCatalog(command.catalogPath)
  const { dataDir } = command
  if (dataDir === '') return lookupInDynamo(catalog, command)
  return withStore(dataDir, 'read', (store) => lookup(catalog, store, command))
}

async function lookupInDynamo(catalog: Catalog, command: LookupCommand): Promise<LookupReply> {
  const readMsMax = STORE_READ_MS_MAX
  const reading = await openDynamoReading({ catalog, readMsMax, cacheBytesMax: 0 })
  try {
    const reply = await lookup(catalog, reading.reader, command)
    // A call that was lost and asked again is nobody's trouble.
    return reply.isWhole ? reply : { ...reply, problems: reading.look() }
  } finally {
    await reading.close()
  }
}

async function lookup(
  catalog: Catalog,
  store: RowReader,
  command: LookupCommand,
): Promise<LookupReply & { readonly isWhole: boolean }> {
  const { service, references } = command
  const plan = makePlan(catalog, { service, references, form: 'rows' }, store)
  const columns = entityColumns(command.entities, keyTypes(plan))
  const query: Query = {
    service,
    references,
    columns,
    fill: 'null',
    statuses: true,
    eventTimes: true,
    form: 'rows',
    deadlineMs: Infinity,
  }
  const answerer = new Answerer(store, () => Date.now() * 1000)
  let isWhole = true
  const json = await answerer.answer(plan, query, (answer) => {
    isWhole = answer.lateCells === 0
    return jsonReply.encode(answer, 'include')
  })
  return { json: new TextDecoder().decode(json), columns, problems: [], isWhole }
}

const keyTypes = (plan: Plan): KeyTypes =>
  new Map(plan.blocks.flatMap(({ keys }) => keys.map(({ column, type }) => [column, type])))
