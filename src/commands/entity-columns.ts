/** The `name=value` texts of a command line as typed columns, one for each name. */
import { Fault } from '../base/fault.ts'
import type { PlainValue } from '../catalog/catalog.ts'
import type { KeyTypeName } from '../catalog/value-type.ts'
import type { EntityColumn } from '../query/query.ts'

/** Join key as a request names it -> its type. A name without one is handed on as text. */
export type KeyTypes = ReadonlyMap<string, KeyTypeName>

type NamedText = readonly [name: string, text: string]

export function entityColumns(texts: readonly NamedText[], types: KeyTypes): EntityColumn[] {
  const columns = new Map<string, PlainValue[]>()
  for (const [name, text] of texts) {
    const value = parseKeyValue(name, text, types.get(name) ?? 'STRING')
    const values = columns.get(name)
    if (values === undefined) columns.set(name, [value])
    else values.push(value)
  }
  return [...columns].map(([name, values]) => ({ name, values }))
}

function parseKeyValue(name: string, text: string, type: KeyTypeName): PlainValue {
  switch (type) {
    case 'STRING':
      return text
    case 'BYTES':
      return parseBase64(name, text)
    case 'INT32':
    case 'INT64':
    case 'UNIX_TIMESTAMP':
      return parseInteger(name, text, type)
  }
}

function parseInteger(name: string, text: string, type: KeyTypeName): number | bigint {
  if (!/^-?\d{1,19}$/.test(text)) {
    const seconds = type === 'UNIX_TIMESTAMP' ? ' of seconds since 1970' : ''
    throw invalid(name, `'${text}' is no ${type}`, `an integer${seconds}`)
  }
  const value = Number(text)
  return Number.isSafeInteger(value) ? value : BigInt(text)
}

function parseBase64(name: string, text: string): Uint8Array {
  try {
    return Uint8Array.fromBase64(text)
  } catch {
    throw invalid(name, `'${text}' is no BYTES`, 'base64')
  }
}

const invalid = (name: string, message: string, allowed: string): Fault =>
  new Fault('invalid_entity', message, { where: `--entity ${name}`, allowed })
