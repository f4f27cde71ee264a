import { expect, test } from 'bun:test'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runConfigExplain } from '../../src/commands/config-explain.ts'

async function explain(line: string, environment: Record<string, string> = {}) {
  const told = { out: '', err: '' }
  const io = {
    out: (text: string) => void (told.out += text),
    err: (text: string) => void (told.err += text),
    errIsTerminal: false,
  }
  const command = { kind: 'config-explain' as const, argv: line.split(' ') }
  const code = await runConfigExplain(command, io, environment)
  const lines = new Map(told.out.split('\n').map((text) => [text.split(' ')[0] ?? '', text]))
  return { code, err: told.err, line: (name: string) => lines.get(name)?.replace(/ +/g, ' ') }
}

test('each setting says where it came from and what it shadowed', async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'salver-cli-')), 'salver.yaml')
  writeFileSync(path, 'catalog: c.yaml\nport: 3\n')
  const environment = { SALVER_PORT: '2', SALVER_DATA: 'd', SALVER_CONFIG: path }
  const told = await explain('serve --port 1', environment)
  expect(told.code).toBe(0)
  expect(told.line('port')).toBe(
    'port 1 --port, shadows SALVER_PORT (2), salver.yaml:2 (3), default (6566)',
  )
  expect(told.line('data')).toBe('data d SALVER_DATA')
  expect(told.line('catalog')).toEndWith('c.yaml salver.yaml:1')
  expect(told.line('host')).toBe('host 127.0.0.1 default')
})

test('a token is never printed', async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'salver-cli-')), 'salver.yaml')
  writeFileSync(path, 'token: hunter3\n')
  const told = await explain('serve --catalog c --data d', {
    SALVER_TOKEN: 'hunter2',
    SALVER_CONFIG: path,
  })
  expect(told.line('token')).toBe('token **** SALVER_TOKEN, shadows salver.yaml:1 (****)')
})

test('a setting that yields to its rival says so', async () => {
  const environment = { SALVER_DATA: 'd' }
  const told = await explain('ingest batch --catalog c --server http://h:1', environment)
  expect(told.line('data')).toBe('data - not set: SALVER_DATA (d) yields to --server')
})

test('a command line that would be refused is explained and refused', async () => {
  const told = await explain('serve --port x')
  expect(told.code).toBe(2)
  expect(told.line('port')).toStartWith('port x --port')
  expect(told.err).toContain('--port')
  expect(told.err).toContain('--catalog')
})

test('a command line without a command can not be explained', async () => {
  await expect(explain('--port 1')).rejects.toMatchObject({ code: 'usage' })
})
