import { describe, expect, test } from 'bun:test'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Command } from '../../src/cli/command.ts'
import { Fault } from '../../src/base/fault.ts'
import { resolveCommand } from '../../src/cli/resolve-command.ts'

type Variables = Record<string, string>

function commandOf(line: string, environment: Variables = {}): Command {
  const resolved = resolveCommand(line.split(' '), { environment, errIsTerminal: false })
  if (resolved.kind !== 'command') throw new Error(`${line} resolved to ${resolved.kind}`)
  return resolved.command
}

function faultsOf(line: string, environment: Variables = {}): readonly Fault[] {
  try {
    resolveCommand(line === '' ? [] : line.split(' '), { environment, errIsTerminal: false })
  } catch (error) {
    if (error instanceof Fault) return error.faults.length === 0 ? [error] : error.faults
    throw error
  }
  throw new Error(`${line} was accepted`)
}

const placesOf = (line: string, environment: Variables = {}) =>
  faultsOf(line, environment).map((fault) => fault.where)

function configFile(text: string): { folder: string; path: string } {
  const folder = mkdtempSync(join(tmpdir(), 'salver-cli-'))
  const path = join(folder, 'salver.yaml')
  writeFileSync(path, text)
  return { folder, path }
}

describe('spellings that scripts rely on', () => {
  test('serve', () => {
    expect(commandOf('serve --catalog c.yaml --data d --host 127.0.0.1 --port 6566')).toEqual({
      kind: 'serve',
      catalogPath: 'c.yaml',
      dataDir: 'd',
      host: '127.0.0.1',
      port: 6566,
      readOnly: false,
      token: '',
      durability: 'sync',
      feastTtl: 'ignore',
      requestsInFlightMax: 1024,
      futureMarginUs: 600_000_000,
      readMsMax: 2000,
      cacheBytesMax: 64 * 1024 * 1024,
      refreshAfterUs: undefined,
    })
  })

  test('ingest batch into a data directory', () => {
    const line =
      'ingest batch --catalog c.yaml --data d --view v --source s/*.parquet --dry-run --json'
    expect(commandOf(line)).toEqual({
      kind: 'ingest-batch',
      catalogPath: 'c.yaml',
      dataDir: 'd',
      server: '',
      token: '',
      view: 'v',
      source: 's/*.parquet',
      format: '',
      dryRun: true,
      json: true,
      rejectsPath: '',
      rejectsMax: 0,
      futureMarginUs: 600_000_000,
      refreshAfterUs: undefined,
      ledgerDir: '',
      assumeEmpty: false,
      durability: 'sync',
      progress: false,
    })
  })

  test('ingest batch into a server, with the token of the environment', () => {
    const line = 'ingest batch --catalog c --server http://h:1/ --view v --source s'
    expect(commandOf(line, { SALVER_TOKEN: 't' })).toMatchObject({
      dataDir: '',
      server: 'http://h:1',
      token: 't',
    })
  })

  test('lookup takes names and values as often as they are given', () => {
    const line =
      'lookup --server http://h:1 --feature v:a --feature v:b --entity id=1 --entity id=2=3'
    expect(commandOf(line)).toMatchObject({
      references: ['v:a', 'v:b'],
      entities: [
        ['id', '1'],
        ['id', '2=3'],
      ],
    })
  })

  test('store drop changes nothing unless it is told to', () => {
    expect(commandOf('store drop --data d --table t')).toMatchObject({ yes: false })
    expect(commandOf('store drop --data d --table t --yes')).toMatchObject({ yes: true })
  })
})

describe('precedence', () => {
  const SERVE = 'serve --catalog c --data d'

  test('a flag holds before a variable, a variable before the file, the file before the default', () => {
    const { path } = configFile('port: 3\n')
    const all = { SALVER_PORT: '2', SALVER_CONFIG: path }
    expect(commandOf(`${SERVE} --port 1`, all)).toMatchObject({ port: 1 })
    expect(commandOf(SERVE, all)).toMatchObject({ port: 2 })
    expect(commandOf(SERVE, { SALVER_CONFIG: path })).toMatchObject({ port: 3 })
    expect(commandOf(SERVE)).toMatchObject({ port: 6566 })
  })

  test('--config as a flag holds before SALVER_CONFIG', () => {
    const { path } = configFile('port: 3\n')
    const line = `${SERVE} --config ${path}`
    expect(commandOf(line, { SALVER_CONFIG: '/nowhere' })).toMatchObject({ port: 3 })
  })

  test('a switch of the environment is turned off by its --no- form', () => {
    const variables = { SALVER_READ_ONLY: 'true' }
    expect(commandOf(SERVE, variables)).toMatchObject({ readOnly: true })
    expect(commandOf(`${SERVE} --no-read-only`, variables)).toMatchObject({ readOnly: false })
  })

  test('an empty variable is an unset one', () => {
    expect(commandOf(SERVE, { SALVER_PORT: '', SALVER_TOKEN: '' })).toMatchObject({ port: 6566 })
  })

  test('a path of the config file starts at its folder, a flag where the command runs', () => {
    const { folder, path } = configFile('catalog: defs/features.yaml\n')
    expect(commandOf(`serve --data d --config ${path}`)).toMatchObject({
      catalogPath: join(folder, 'defs/features.yaml'),
      dataDir: 'd',
    })
  })

  test('a server asked for by flag outdoes a data directory of the environment', () => {
    const line = 'ingest batch --catalog c --server http://h:1'
    expect(commandOf(line, { SALVER_DATA: 'd' })).toMatchObject({
      dataDir: '',
      server: 'http://h:1',
    })
  })

  test('health asks the port that serve would take', () => {
    expect(commandOf('health')).toMatchObject({ url: 'http://127.0.0.1:6566', timeoutMs: 2000 })
    const variables = { SALVER_PORT: '7' }
    expect(commandOf('health', variables)).toMatchObject({ url: 'http://127.0.0.1:7' })
    const flag = commandOf('health --port 8', { ...variables, SALVER_SERVER: 'http://h:1' })
    expect(flag).toMatchObject({ url: 'http://127.0.0.1:8' })
  })

  test('progress is shown on a terminal unless it is switched off', () => {
    const argv = 'ingest batch --catalog c --data d'.split(' ')
    const shown = (more: string[]) => {
      const surroundings = { environment: {}, errIsTerminal: true }
      const resolved = resolveCommand([...argv, ...more], surroundings)
      return (
        resolved.kind === 'command' && 'progress' in resolved.command && resolved.command.progress
      )
    }
    expect(shown([])).toBe(true)
    expect(shown(['--no-progress'])).toBe(false)
  })
})

describe('what is wrong is said, all of it at once', () => {
  test('slips of every kind in one line', () => {
    const line = 'serve --prot 7 --durability never extra --yes --catalog c --data d'
    expect(placesOf(line)).toEqual(['extra', '--prot', '--yes', '--durability'])
  })

  test('slips in flags, environment and file together', () => {
    const { path } = configFile('prot: 7\nhost: [a]\ncatalog: c\n')
    const places = placesOf(`serve --config ${path} --port x`, { SALVER_READ_ONLY: 'perhaps' })
    expect(places.toSorted()).toEqual([
      '--port',
      'SALVER_READ_ONLY',
      'salver.yaml:1',
      'salver.yaml:2',
    ])
  })

  test('a mistyped flag is told what was meant and is not also missing', () => {
    const faults = faultsOf('serve --catlog c --dta d')
    expect(faults.map((fault) => fault.message)).toEqual([
      "no flag of serve; did you mean '--catalog'?",
      "no flag of serve; did you mean '--data'?",
    ])
    expect(faults[0]?.allowed).toContain('--catalog')
  })

  test('one dash where two are meant', () => {
    expect(faultsOf('serve --catalog c --data d -port 7')[0]?.message).toContain("'--port'")
    expect(faultsOf('serve --catalog c --data d -host ::1')[0]?.message).toContain("'--host'")
  })

  test('a mistyped command, a half one and none', () => {
    expect(faultsOf('ingset batch')[0]?.message).toContain("'ingest'")
    expect(faultsOf('store stat')[0]?.message).toContain("'store stats'")
    expect(faultsOf('store')[0]?.allowed).toBe(
      'store stats, store verify, store compact, store drop',
    )
    expect(faultsOf('')[0]?.code).toBe('usage')
  })

  test('a flag of another command is told whose it is', () => {
    expect(faultsOf('health --view x')[0]?.message).toContain('ingest batch')
  })

  test('a flag given twice', () => {
    expect(placesOf('serve --catalog c --data d --port 1 --port 2')).toEqual(['--port'])
  })

  test('a flag where a value should be, and a value left out', () => {
    expect(placesOf('serve --catalog c --data d --port --host ::1')).toEqual(['--port'])
    expect(placesOf('serve --catalog c --data d --port')).toEqual(['--port'])
    expect(placesOf('serve --catalog c --data d --port=')).toEqual(['--port'])
  })

  test.each([
    ['--port', '65536'],
    ['--port', '-1'],
    ['--port', '0x10'],
    ['--host', 'a/b'],
    ['--max-in-flight', '0'],
    ['--durability', 'Sync'],
    ['--feast-ttl', 'on'],
  ])('%s %s is refused with what is allowed', (flag, value) => {
    const faults = faultsOf(`serve --catalog c --data d ${flag}=${value}`)
    expect(faults.map((fault) => fault.where)).toEqual([flag])
    expect(faults[0]?.allowed).not.toBe(undefined)
  })

  test.each([
    ['--server', 'ftp://h:1'],
    ['--server', 'http://h:1/path'],
    ['--server', 'h:1'],
    ['--future-margin', '10y'],
    ['--future-margin', '366d'],
    ['--max-rejects', '1.5'],
    ['--format', 'orc'],
  ])('ingest batch %s %s is refused', (flag, value) => {
    expect(placesOf(`ingest batch --catalog c --data d ${flag}=${value}`)).toContain(flag)
  })

  test('two stores; with none it is the one that the definitions name', () => {
    expect(commandOf('ingest batch --catalog c')).toMatchObject({ dataDir: '', server: '' })
    expect(placesOf('ingest batch --catalog c --data d --server http://h:1')).toEqual([
      '--data, --server',
    ])
  })

  test('two ways to know what a DynamoDB table holds, and one where there is none', () => {
    const line = 'ingest batch --catalog c --assume-empty'
    expect(commandOf(line)).toMatchObject({ assumeEmpty: true, ledgerDir: '' })
    expect(placesOf(`${line} --ledger l`)).toEqual(['--ledger, --assume-empty'])
    expect(placesOf(`${line} --data d`)).toEqual(['--assume-empty'])
  })

  test('a size without a unit, or past the bound', () => {
    const line = 'serve --catalog c --cache-size'
    expect(commandOf(`${line} 3MiB`)).toMatchObject({ cacheBytesMax: 3 * 1024 * 1024 })
    expect(commandOf(`${line} 0`)).toMatchObject({ cacheBytesMax: 0 })
    for (const size of ['100', '3MB', '3GiB', '-1MiB', 'KiB']) {
      expect(placesOf(`${line}=${size}`)).toEqual(['--cache-size'])
    }
  })

  test('a group of commands inside a group needs one more word, and knows it', () => {
    const ledger = 'ingest ledger check --catalog c --view v --ledger l'
    expect(commandOf(ledger)).toMatchObject({ kind: 'ingest-ledger-check', view: 'v' })
    expect(faultsOf('ingest ledger')[0]).toMatchObject({
      message: 'needs one more word',
      allowed: 'ingest ledger rebuild, ingest ledger check',
    })
    expect(faultsOf('ingest ledger chek --catalog c')[0]?.message).toContain(
      "did you mean 'ingest ledger check'",
    )
  })

  test('a host that others reach is refused unless writes are guarded', () => {
    const line = 'serve --catalog c --data d --host 0.0.0.0'
    expect(placesOf(line)).toEqual(['--host'])
    expect(commandOf(`${line} --read-only`)).toMatchObject({ host: '0.0.0.0' })
    expect(commandOf(line, { SALVER_TOKEN: 't' })).toMatchObject({ token: 't' })
    for (const host of ['localhost', '127.0.0.2', '::1']) {
      expect(commandOf(`serve --catalog c --data d --host ${host}`)).toMatchObject({ host })
    }
  })

  test('the token is never taken from the command line, nor shown', () => {
    const faults = faultsOf('serve --catalog c --data d --token hunter2')
    expect(faults[0]?.message).toContain('SALVER_TOKEN')
    expect(JSON.stringify(faults.map((fault) => [fault.message, fault.where]))).not.toContain(
      'hunter2',
    )
  })

  test('lookup without features, with both kinds, and without a catalog', () => {
    expect(placesOf('lookup --server http://h:1')).toEqual(['--service, --feature'])
    expect(placesOf('lookup --server http://h:1 --service s --feature v:f')).toEqual([
      '--service, --feature',
    ])
    expect(placesOf('lookup --data d --service s')).toEqual(['--catalog'])
    expect(placesOf('lookup --server http://h:1 --feature vf --entity id')).toEqual([
      '--feature',
      '--entity',
    ])
  })

  test("a variable that Kubernetes made for a Service is told apart from a person's", () => {
    const faults = faultsOf('health', { SALVER_PORT: 'tcp://10.0.0.1:6566' })
    expect(faults[0]?.allowed).toContain('enableServiceLinks')
  })

  test('a config file that is missing, no YAML, no mapping, or has a key twice', () => {
    expect(placesOf('health --config /nowhere/salver.yaml')).toEqual(['/nowhere/salver.yaml'])
    const broken = ['port: [', '- 1\n', 'port: 1\nport: 2\n', 'port:\n']
    expect(broken.map((text) => placesOf(`health --config ${configFile(text).path}`))).toEqual([
      ['salver.yaml:1'],
      ['salver.yaml:1'],
      ['salver.yaml:2'],
      ['salver.yaml:1'],
    ])
  })
})

describe('warnings', () => {
  test('a SALVER_ variable that is no setting is told, those of service links are not', () => {
    const environment = { SALVER_PROT: '7', SALVER_SERVICE_HOST: 'h', SALVER_PORT_6566_TCP: 'x' }
    const resolved = resolveCommand(['health'], { environment, errIsTerminal: false })
    expect(resolved.kind === 'command' && resolved.warnings).toEqual([
      "SALVER_PROT is set and is no setting; did you mean 'SALVER_PORT'?",
    ])
  })
})

describe('a durability for a server', () => {
  const warningsOf = (line: string, environment: Variables = {}): readonly string[] => {
    const resolved = resolveCommand(line.split(' '), { environment, errIsTerminal: false })
    return resolved.kind === 'command' ? resolved.warnings : []
  }
  const batch = 'ingest batch --catalog f.yaml --view v'

  test('is told to have no effect, where it was meant for this command', () => {
    expect(warningsOf(`${batch} --server http://h:1 --durability process`)).toEqual([
      '--durability has no effect with --server: the server was started with its own',
    ])
    expect(warningsOf(`${batch} --data d --durability process`)).toEqual([])
    const shared = { SALVER_DURABILITY: 'process' }
    expect(warningsOf(`${batch} --server http://h:1`, shared)).toEqual([])
  })
})

describe('help and version', () => {
  const textOf = (line: string): string => {
    const resolved = resolveCommand(line.split(' '), { environment: {}, errIsTerminal: false })
    return resolved.kind === 'help' ? resolved.text : ''
  }

  test('every command has help with an example, also beside flags that are wrong', () => {
    expect(textOf('serve --help')).toContain('salver serve --catalog features.yaml')
    expect(textOf('serve --prot 1 -h')).toContain('--port PORT')
    expect(textOf('config explain --help')).toContain('salver config explain serve')
  })

  test('a group and the program list their commands', () => {
    expect(textOf('store --help')).toContain('store compact')
    expect(textOf('--help')).toContain('config explain')
  })

  test('the version is asked for by --version and -v', () => {
    for (const flag of ['--version', '-v']) {
      const resolved = resolveCommand([flag], { environment: {}, errIsTerminal: false })
      expect(resolved.kind).toBe('version')
    }
  })
})
