/** A look-up that a running server answers: its definitions say what types the keys have. */
import { z } from 'zod'
import { canonicalJson } from '../base/exact-json.ts'
import { Fault } from '../base/fault.ts'
import { parseDtype } from '../catalog/parse-dtype.ts'
import { isKeyType } from '../catalog/value-type.ts'
import type { LookupCommand } from '../cli/command.ts'
import { parseRefusal } from '../ingest/server-reply.ts'
import { parseReference } from '../query/parse-reference.ts'
import type { EntityColumn } from '../query/query.ts'
import type { KeyTypes } from './entity-columns.ts'
import { entityColumns } from './entity-columns.ts'
import type { LookupReply } from './lookup-reply.ts'

const JOIN_KEY = z.object({ name: z.string(), value_type: z.string() })
const VIEW = z.object({ name: z.string(), join_keys: z.array(JOIN_KEY) })
const USE = z.object({ view: z.string(), join_key_map: z.record(z.string(), z.string()) })
const SERVICE = z.object({ name: z.string(), features: z.array(USE) })
const CATALOG = z.object({ feature_views: z.array(VIEW), feature_services: z.array(SERVICE) })

type ServedCatalog = z.output<typeof CATALOG>

const ASK_MS_MAX = 30_000

export async function lookupOnServer(command: LookupCommand): Promise<LookupReply> {
  const catalog = CATALOG.safeParse(
    JSON.parse(await ask(`${command.server}/v1/catalog`, undefined)),
  )
  if (!catalog.success) throw new Fault('malformed', `${command.server} is no Salver server`)
  const columns = entityColumns(command.entities, keyTypes(command, catalog.data))
  const json = await ask(`${command.server}/v1/features`, requestText(command, columns))
  return { json, columns, problems: [] }
}

function requestText(command: LookupCommand, columns: readonly EntityColumn[]): string {
  const entities = columns.map(({ name, values }) => [name, values.map(toJsonValue)])
  return canonicalJson({
    ...(command.service === ''
      ? { features: command.references }
      : { feature_service: command.service }),
    entities: Object.fromEntries(entities),
    statuses: true,
    event_times: true,
  })
}

const toJsonValue = (value: unknown): unknown =>
  value instanceof Uint8Array ? value.toBase64() : value

/** Of every join key of the views asked for, under the name that the request gives it. */
function keyTypes(command: LookupCommand, catalog: ServedCatalog): KeyTypes {
  const types: [string, string][] = usesOf(command, catalog).flatMap((use) =>
    (catalog.feature_views.find(({ name }) => name === use.view)?.join_keys ?? []).map((key) => [
      use.join_key_map[key.name] ?? key.name,
      parseDtype(key.value_type)?.type.name ?? '',
    ]),
  )
  return new Map(types.flatMap(([name, type]) => (isKeyType(type) ? [[name, type]] : [])))
}

function usesOf(command: LookupCommand, catalog: ServedCatalog): z.output<typeof USE>[] {
  if (command.service === '') {
    return command.references.map((text) => ({
      view: parseReference(text)?.view ?? '',
      join_key_map: {},
    }))
  }
  return catalog.feature_services.find(({ name }) => name === command.service)?.features ?? []
}

/** Text of a good answer; anything else is a Fault. Without a body it is a GET. */
async function ask(url: string, body: string | undefined): Promise<string> {
  const request =
    body === undefined
      ? {}
      : { method: 'POST', body, headers: { 'content-type': 'application/json' } }
  const response = await fetch(url, { ...request, signal: AbortSignal.timeout(ASK_MS_MAX) }).catch(
    (cause: unknown) => unreachable(url, cause),
  )
  const text = await response.text()
  if (response.ok) return text
  throw refusal(response.status, text, url)
}

function unreachable(url: string, cause: unknown): never {
  const reason = cause instanceof Error ? cause.message : String(cause)
  throw new Fault('unavailable', `can't be reached: ${reason}`, { where: url, cause })
}

function refusal(status: number, text: string, url: string): Fault {
  const told = parseRefusal(text)
  if (told === undefined) return new Fault('unavailable', `answered ${status}`, { where: url })
  return new Fault('invalid_request', told.message, told)
}
