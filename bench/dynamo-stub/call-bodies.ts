/** Bodies of BatchGetItem calls, to ask the stub without a server between. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { STUB_TABLE, stubEntityId } from './stub-items.ts'

export const CALL_HEADERS = {
  'content-type': 'application/x-amz-json-1.0',
  'x-amz-target': 'DynamoDB_20120810.BatchGetItem',
}

/** Files with one body for each list of ids. */
export async function makeCallBodies(
  folder: string,
  calls: readonly (readonly number[])[],
): Promise<string[]> {
  mkdirSync(folder, { recursive: true })
  return Promise.all(
    calls.map(async (ids, index) => {
      const Keys = ids.map((id) => ({ entity_id: { S: stubEntityId(id) } }))
      const path = join(folder, `${index}.json`)
      await Bun.write(path, JSON.stringify({ RequestItems: { [STUB_TABLE]: { Keys } } }))
      return path
    }),
  )
}
