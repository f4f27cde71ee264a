import { afterAll, expect, test } from 'bun:test'
import { rmSync } from 'node:fs'
import { EXAMPLES } from '../../src/cli/examples.ts'
import { addressOf, argvOf, exampleFolder, runSalver, startSalver } from './run-salver.ts'

const folder = exampleFolder()
/** The port of the examples may be taken on this machine: whatever is free stands for it. */
let server = { address: 'http://127.0.0.1:6566', stop: async () => {} }

afterAll(async () => {
  await server.stop()
  rmSync(folder, { recursive: true })
})

const here = (line: string) => argvOf(line.replace('http://127.0.0.1:6566', server.address))

for (const [command, lines] of Object.entries(EXAMPLES)) {
  for (const line of lines) {
    test(`example: ${line}`, async () => {
      if (command === 'serve') return expectServing(line)
      const ran = await runSalver(here(line), { cwd: folder })
      expect(ran).toMatchObject({ code: 0, err: '' })
      expect(ran.out).not.toBe('')
    })
  }
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
