/** `salver catalog check|show`: are the definitions right, and what do they say? */
import type { Catalog } from '../catalog/catalog.ts'
import { catalogToJson, describeCatalog } from '../catalog/describe-catalog.ts'
import { openCatalog } from '../catalog/open-catalog.ts'
import { Fault } from '../base/fault.ts'
import type { CatalogCommand } from '../cli/command.ts'
import type { Io } from '../cli/io.ts'
import { counted } from './counted.ts'
import { dynamoOptions } from './dynamo-store.ts'

export function runCatalog(command: CatalogCommand, io: Io): Promise<number> {
  return command.kind === 'catalog-show' ? show(command, io) : check(command, io)
}

async function show({ catalogPath, json }: CatalogCommand, io: Io): Promise<number> {
  const catalog = await openCatalog(catalogPath)
  io.out(`${json ? JSON.stringify(catalogToJson(catalog)) : describeCatalog(catalog)}\n`)
  return 0
}

/** With --json the faults are the answer; without, they go where faults go. */
async function check({ catalogPath, json }: CatalogCommand, io: Io): Promise<number> {
  if (!json) {
    io.out(summary(await checked(catalogPath)))
    return 0
  }
  try {
    const { digest, notServed } = await checked(catalogPath)
    io.out(`${JSON.stringify({ ok: true, digest, not_served: notServed, faults: [] })}\n`)
    return 0
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    const faults = (error.faults.length === 0 ? [error] : error.faults).map(
      ({ message, where, allowed }) => ({ message, where, allowed }),
    )
    io.out(`${JSON.stringify({ ok: false, faults })}\n`)
    return 1
  }
}

/** With what the definitions say of a DynamoDB: that is theirs too. */
async function checked(path: string): Promise<Catalog> {
  const catalog = await openCatalog(path)
  if (catalog.onlineStore?.type === 'dynamodb') dynamoOptions(catalog)
  return catalog
}

function summary(catalog: Catalog): string {
  const features = catalog.views.reduce((sum, view) => sum + view.features.length, 0)
  const parts = [
    counted(catalog.views.length, 'feature view'),
    counted(features, 'feature'),
    counted(catalog.services.length, 'feature service'),
    counted(catalog.pushSources.size, 'push source'),
  ]
  const notServed = catalog.notServed.map(
    ({ kind, name, reason }) => `not served: ${kind} ${name}: ${reason}\n`,
  )
  return `${catalog.origin}: ${parts.join(', ')}; no faults\n${notServed.join('')}`
}
