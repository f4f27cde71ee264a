import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { addressOf, argvOf, exampleFolder, runSalver, startSalver } from './run-salver.ts'

const CATALOG = `project: keys
entities:
  - { name: user, join_key: user_id, value_type: Int64 }
  - { name: country, join_key: country, value_type: String }
feature_views:
  - name: visits
    entities: [user, country]
    features: [{ name: count, type: Int64 }, { name: last_page, type: String }]
feature_services:
  - name: home
    features: [{ view: visits, join_key_map: { country: home_country } }]
`
const ROWS = [
  '{"user_id": 9007199254740993, "country": "NZ", "event_timestamp": "2026-03-01T10:00:00Z", "count": 9007199254740995, "last_page": "a b"}',
  '{"user_id": 2, "country": "NZ", "event_timestamp": "2026-03-01T10:00:00Z", "count": 4, "last_page": null}',
]

const folder = exampleFolder()
const run = (line: string) => runSalver(argvOf(`salver ${line}`), { cwd: folder })

beforeAll(async () => {
  writeFileSync(join(folder, 'keys.yaml'), CATALOG)
  writeFileSync(join(folder, 'rows.ndjson'), ROWS.join('\n'))
  const line = 'ingest batch --catalog keys.yaml --data data --view visits --source rows.ndjson'
  expect(await run(line)).toMatchObject({ code: 0, err: '' })
})
afterAll(() => rmSync(folder, { recursive: true }))

const ASK =
  '--service home --entity user_id=9007199254740993 --entity user_id=2 --entity user_id=5 --entity home_country=NZ'

/** Columns stand apart by two spaces or more: values may hold one. */
const cellsOf = (out: string) =>
  out
    .trimEnd()
    .split('\n')
    .map((line) => line.split(/ {2,}/))

describe('lookup', () => {
  test('prints a line for each row: keys, values to the last digit, and why there is none', async () => {
    const { out, err, code } = await run(`lookup --catalog keys.yaml --data data ${ASK}`)
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(cellsOf(out)).toEqual([
      ['user_id', 'home_country', 'visits:count', 'visits:last_page', 'visits event time'],
      ['9007199254740993', 'NZ', '9007199254740995', 'a b', '2026-03-01T10:00:00Z'],
      ['2', 'NZ', '4', 'NULL', '2026-03-01T10:00:00Z'],
      ['5', 'NZ', 'NOT_FOUND', 'NOT_FOUND', '-'],
    ])
  })

  test('a running server gives the same answer, as a table and as JSON', async () => {
    const fromStore = await run(`lookup --catalog keys.yaml --data data ${ASK}`)
    const jsonFromStore = await run(`lookup --catalog keys.yaml --data data ${ASK} --json`)
    const line = 'salver serve --catalog keys.yaml --data data --port 0'
    const server = await startSalver(argvOf(line), { cwd: folder })
    const address = await addressOf(server)
    expect(await run(`lookup --server ${address} ${ASK}`)).toEqual(fromStore)
    expect(await run(`lookup --server ${address} ${ASK} --json`)).toEqual(jsonFromStore)
    const refused = await run(`lookup --server ${address} --service hom --entity user_id=1`)
    expect(refused).toMatchObject({ code: 1, out: '' })
    expect(refused.err).toContain('home')
    server.kill('SIGTERM')
    expect(await server.exited).toBe(0)
  })

  test('a value that its key can not have, a key left out and a name that is none are told', async () => {
    const lines = [
      ['--feature visits:count --entity user_id=one --entity country=NZ', 'user_id'],
      ['--feature visits:count --entity user_id=1', 'country'],
      ['--feature visits:counts --entity user_id=1 --entity country=NZ', 'count'],
    ] as const
    for (const [ask, named] of lines) {
      const ran = await run(`lookup --catalog keys.yaml --data data ${ask}`)
      expect(ran).toMatchObject({ code: 1, out: '' })
      expect(ran.err).toContain(named)
    }
  })
})
