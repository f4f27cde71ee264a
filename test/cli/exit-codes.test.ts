import { afterAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { VERSION } from '../../src/cli/version.ts'
import { runSalver, startSalver } from './run-salver.ts'

const cwd = mkdtempSync(join(tmpdir(), 'salver-exit-'))
afterAll(() => rmSync(cwd, { recursive: true }))

const run = (line: string, env: Record<string, string> = {}) =>
  runSalver(line === '' ? [] : line.split(' '), { cwd, env })

describe('the executable', () => {
  test('tells its version, the one of the package', async () => {
    expect(await run('--version')).toEqual({ code: 0, out: `salver ${VERSION}\n`, err: '' })
  })

  test('exits 2 for a wrong command line, with nothing on standard output', async () => {
    for (const line of ['', 'sevre', 'serve --prot 1', 'store', 'health --timeout soon']) {
      expect(await run(line)).toMatchObject({ code: 2, out: '' })
    }
  })

  test('tells every fault of definitions with its line, and exits 1', async () => {
    writeFileSync(join(cwd, 'bad.yaml'), 'project: p\nentites: []\nfeature_views: 7\n')
    const ran = await run('catalog check --catalog bad.yaml')
    expect(ran).toMatchObject({ code: 1, out: '' })
    expect(ran.err).toContain('bad.yaml:2')
    expect(ran.err).toContain('bad.yaml:3')
  })

  test('with --json the faults of definitions are one JSON object', async () => {
    writeFileSync(join(cwd, 'bad.yaml'), 'project: p\nentites: []\nfeature_views: 7\n')
    const ran = await run('catalog check --catalog bad.yaml --json')
    expect(ran.code).toBe(1)
    expect(JSON.parse(ran.out)).toMatchObject({ ok: false, faults: [{}, {}] })
  })

  test('exits 1 where a server is not there', async () => {
    const ran = await run('health --port 1 --timeout 5s')
    expect(ran.code).toBe(1)
    expect(ran.out).toContain('http://127.0.0.1:1/health')
  })

  test('makes no store where it is only asked about one', async () => {
    for (const line of ['store stats', 'store verify', 'store compact', 'store drop --table t']) {
      const ran = await run(`${line} --data none`)
      expect(ran).toMatchObject({ code: 2, out: '' })
      expect(ran.err).toContain('there is no store here')
    }
  })

  test('obeys no .env file of the folder it runs in', async () => {
    writeFileSync(join(cwd, '.env'), 'SALVER_PORT=7\n')
    expect((await run('config explain health')).out).not.toContain('SALVER_PORT')
  })

  test('ends quietly when its reader has seen enough', async () => {
    const child = await startSalver(['serve', '--help'], { cwd })
    await child.stdout.cancel()
    expect(await new Response(child.stderr).text()).toBe('')
    expect([0, 1]).toContain(await child.exited)
  })
})
