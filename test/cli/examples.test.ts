import { afterAll, beforeAll, expect, test } from 'bun:test'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { EXAMPLES } from '../../src/cli/examples.ts'
import { describeWithDynamo } from '../parts/dynamodb.ts'
import type { Ran } from './run-salver.ts'
import { addressOf, argvOf, exampleFolder, runSalver, startSalver } from './run-salver.ts'

const folder = exampleFolder()
/** The port of the examples may be taken on this machine: whatever is free stands for it. */
let server = { address: 'http://127.0.0.1:6566', stop: async () => {} }

afterAll(async () => {
  await server.stop()
  rmSync(folder, { recursive: true })
})

const here = (line: string) => argvOf(line.replace('http://127.0.0.1:6566', server.address))

const needsDynamo = (line: string): boolean => line.includes('feature_repo')

const lines = Object.entries(EXAMPLES).flatMap(([command, each]) =>
  each.map((line) => ({ command, line })),
)

for (const { command, line } of lines.filter((example) => !needsDynamo(example.line))) {
  test(`example: ${line}`, async () => {
    if (command === 'serve') return expectServing(line)
    expectDone(await runSalver(here(line), { cwd: folder }))
  })
}

await describeWithDynamo('beside DynamoDB', (url) => {
  beforeAll(() => makeFeatureRepo(url))

  for (const { line } of lines.filter((example) => needsDynamo(example.line))) {
    test(`example: ${line}`, async () => {
      const env = { AWS_ACCESS_KEY_ID: 'local', AWS_SECRET_ACCESS_KEY: 'local' }
      expectDone(await runSalver(here(line), { cwd: folder, env }))
    })
  }
})

/** Feast's recorded definitions, over tables of this test's own. */
async function makeFeatureRepo(url: string): Promise<void> {
  const fixtures = join(import.meta.dir, '../fixtures/feast')
  const text = await Bun.file(join(fixtures, 'feature_repo/feature_store.yaml')).text()
  const own = text
    .replace('${DYNAMODB_ENDPOINT}', `${url}\n  table_name_template: "examples.{table_name}"`)
    .replace('../registry.db', 'registry.db')
  await Bun.write(join(folder, 'feature_repo/feature_store.yaml'), own)
  await Bun.write(join(folder, 'feature_repo/registry.db'), Bun.file(join(fixtures, 'registry.db')))
}

function expectDone(ran: Ran): void {
  expect(ran).toMatchObject({ code: 0, err: '' })
  expect(ran.out).not.toBe('')
}

async function expectServing(line: string): Promise<void> {
  const child = await startSalver(argvOf(line.replace('--port 6566', '--port 0')), { cwd: folder })
  server = {
    address: await addressOf(child),
    stop: async () => {
      child.kill('SIGTERM')
      expect(await child.exited).toBe(0)
    },
  }
}
