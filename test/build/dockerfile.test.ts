import { describe, expect, test } from 'bun:test'
import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { addressOf, argvOf, exampleFolder, runSalver, startSalver } from '../cli/run-salver.ts'
import { execForm, parseDockerfile, restsOf } from './parse-dockerfile.ts'

const ROOT = join(import.meta.dir, '../..')
const [build, final] = parseDockerfile(readFileSync(join(ROOT, 'Dockerfile'), 'utf8'))

/** What the engine would send: the files that .dockerignore lets through. */
const CONTEXT = readFileSync(join(ROOT, '.dockerignore'), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('!'))
  .map((line) => line.slice(1))

describe('the build stage', () => {
  test('makes the executable in a clean folder, by its own steps in their order', () => {
    const folder = mkdtempSync(join(tmpdir(), 'salver-docker-'))
    for (const { word, rest } of build?.instructions ?? []) {
      if (word === 'COPY') copyStep(rest, folder)
      if (word === 'RUN') runStep(rest, folder)
    }
    const made = join(folder, 'dist/salver')
    const version = Bun.spawnSync([made, '--version'])
    expect(version.stdout.toString()).toStartWith('salver ')
    for (const source of restsOf(final, 'COPY')) {
      expect(existsSync(join(folder, /\/build\/(\S+)/.exec(source)?.[1] ?? ''))).toBe(true)
    }
    rmSync(folder, { recursive: true })
  })

  function copyStep(rest: string, folder: string): void {
    const sources = rest.split(/\s+/).slice(0, -1)
    for (const source of sources) {
      expect(CONTEXT).toContain(source)
      cpSync(join(ROOT, source), join(folder, source), { recursive: true })
    }
  }

  function runStep(command: string, folder: string): void {
    const { exitCode, stderr } = Bun.spawnSync(['sh', '-c', command], { cwd: folder })
    expect(exitCode, `${command}\n${stderr.toString()}`).toBe(0)
  }

  test('needs nothing that .dockerignore keeps back', () => {
    expect(CONTEXT.filter((entry) => !readdirSync(ROOT).includes(entry))).toEqual([])
  })
})

describe('the final stage', () => {
  test('has a health check that passes while a server is ready, and fails without one', async () => {
    const [check = ''] = restsOf(final, 'HEALTHCHECK')
    const argv = execForm(check).slice(1)
    const folder = exampleFolder()
    const line = 'salver serve --catalog features.yaml --data data --port 0'
    const server = await startSalver(argvOf(line), { cwd: folder })
    const env = { SALVER_PORT: new URL(await addressOf(server)).port }
    expect(await runSalver(argv, { cwd: folder, env })).toMatchObject({ code: 0 })
    server.kill('SIGTERM')
    expect(await server.exited).toBe(0)
    expect(await runSalver(argv, { cwd: folder, env })).toMatchObject({ code: 1 })
    rmSync(folder, { recursive: true })
  })

  test('runs as a user who is not root, without a step of its own', () => {
    expect(restsOf(final, 'USER')).toEqual(['10001:10001'])
    expect(restsOf(final, 'RUN')).toEqual([])
    expect(restsOf(final, 'COPY')[1]).toContain('--chown=10001:10001')
  })

  test('tells its port, its volume and what it runs', () => {
    expect(restsOf(final, 'EXPOSE')).toEqual(['6566'])
    expect(restsOf(final, 'VOLUME')).toEqual(['/data'])
    expect(execForm(restsOf(final, 'ENTRYPOINT')[0] ?? '')).toEqual(['/usr/local/bin/salver'])
    expect(execForm(restsOf(final, 'CMD')[0] ?? '')).toEqual(['serve'])
  })
})
