import { afterAll, expect, test } from 'bun:test'
import { join } from 'node:path'
import { FUTURE_MARGIN_US } from '../../src/base/limits.ts'
import { openStoreThread } from '../../src/threads/open-store-thread.ts'
import { untilDead } from '../../src/threads/until-dead.ts'
import { smallCatalog } from '../query/small-catalog.ts'
import { DEFINITIONS } from '../http/served.ts'
import { cleanUp, makeFolder, ServerProcess } from './server-process.ts'

afterAll(cleanUp)

const start = (file: string): Worker => new Worker(new URL(`./fixtures/${file}`, import.meta.url))

test('a thread that throws, rejects or exits is known to be dead, and why', async () => {
  for (const [how, why] of [
    ['throw', 'thrown on purpose'],
    ['reject', 'rejected on purpose'],
    ['exit', 'the test thread ended'],
  ] as const) {
    const worker = start('dying-worker.ts')
    const died = untilDead(worker, 'the test thread')
    worker.postMessage(how)
    expect((await died).message).toContain(why)
  }
})

test('a thread whose file is missing is known to be dead', async () => {
  const died = untilDead(start('nothing-here.ts'), 'the test thread')
  expect((await died).message).toContain('the test thread failed')
})

test('a writer thread that fails to open says why, and no caller waits for ever', async () => {
  const spec = {
    dataDir: 'a\0b',
    durability: 'process',
    futureMarginUs: FUTURE_MARGIN_US,
    catalog: smallCatalog([]),
  } as const
  await expect(openStoreThread(spec)).rejects.toThrow('the writer thread failed')
})

test('a writer thread that is given a file for a directory is a fault that names it', async () => {
  const spec = {
    dataDir: import.meta.path,
    durability: 'process',
    futureMarginUs: FUTURE_MARGIN_US,
    catalog: smallCatalog([]),
  } as const
  await expect(openStoreThread(spec)).rejects.toMatchObject({
    code: 'usage',
    where: import.meta.path,
    message: expect.stringContaining('ENOTDIR') as unknown as string,
  })
})

test("the death of the store's thread ends the process with its reason", async () => {
  const program = join(import.meta.dir, 'fixtures/serve-until-signal.ts')
  const server = await ServerProcess.start({ folder: makeFolder(DEFINITIONS), program })
  server.signal('SIGUSR2')
  expect(await server.ended()).toBe(1)
  expect(server.log).toContain('it was told to die')
})
