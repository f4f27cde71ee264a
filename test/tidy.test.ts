/** The rules of the house that a reader's eye would miss: arrows, places, names, dead files. */
import { describe, expect, test } from 'bun:test'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { checkFormat, checkTypes } from '../scripts/check.ts'
import { CLIENT, MAIN, WORKERS } from '../scripts/entry-points.ts'

const ROOT = join(import.meta.dir, '..')

/**
 * Folders of src in the order of the imports: a file imports from its own folder or one further
 * down. Those on one line may import each other, except http and ingest, which never meet.
 */
const ARROWS = [
  ['main.ts', 'threads'],
  ['commands', 'cli'],
  ['http', 'ingest'],
  ['codec'],
  ['query'],
  ['store'],
  ['row'],
  ['catalog'],
  ['base'],
]
const NEVER_MEET = ['http', 'ingest']

/** What knows a thing alone: an import that starts so appears below these folders only. */
const PLACES: readonly (readonly [start: string, folders: readonly string[]])[] = [
  ['hono', ['src/http']],
  ['prom-client', ['src/http']],
  ['parquet-wasm', ['src/ingest']],
  ['@uwdata/flechette', ['src/ingest']],
  ['@bufbuild/', ['src/catalog']],
  ['@aws-sdk/', ['src/store/dynamodb']],
  ['zod', ['src/catalog', 'src/commands', 'src/store/dynamodb/dynamo-options.ts']],
  ['yaml', ['src/catalog', 'src/cli']],
  ['bun:ffi', ['src/store/embedded']],
  [
    'node:fs',
    [
      'src/store/embedded',
      'src/catalog',
      'src/ingest',
      'src/cli',
      'src/commands',
      'src/http/metrics-text.ts',
    ],
  ],
]

const SOURCES = [...new Bun.Glob('src/**/*.ts').scanSync({ cwd: ROOT })].toSorted()
const CODE = [...new Bun.Glob('{src,test,bench,scripts}/**/*.ts').scanSync({ cwd: ROOT })].filter(
  (file) => !file.startsWith('test/fixtures/'),
)

const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8')

const IMPORTS = [
  /^(?:import|export)\b[^'"`;]*?\bfrom\s+'([^']+)'/gm,
  /^import\s+'([^']+)'/gm,
  /\bimport\(\s*'([^']+)'/g,
  /^\/\/\/ <reference path="([^"]+)"/gm,
]

/** Every import of a file, those of types too: relative ones as paths from the root. */
function importsOf(file: string): readonly string[] {
  const text = read(file)
  return IMPORTS.flatMap((pattern) => [...text.matchAll(pattern)]).map((match) => {
    const target = match[1] ?? ''
    return target.startsWith('.') ? relative(ROOT, join(ROOT, dirname(file), target)) : target
  })
}

const IMPORTS_OF: ReadonlyMap<string, readonly string[]> = new Map(
  SOURCES.map((file) => [file, importsOf(file)]),
)

const folderOf = (file: string): string => file.split('/')[1] ?? ''
const rankOf = (file: string): number => ARROWS.findIndex((row) => row.includes(folderOf(file)))

describe('imports', () => {
  test('run one way', () => {
    const wrong = SOURCES.filter((file) => folderOf(file) !== 'client').flatMap((file) =>
      (IMPORTS_OF.get(file) ?? [])
        .filter((target) => target.startsWith('src/'))
        .filter((target) => !mayImport(file, target))
        .map((target) => `${file} > ${target}`),
    )
    expect(wrong).toEqual([])
  })

  function mayImport(file: string, target: string): boolean {
    const [from, to] = [folderOf(file), folderOf(target)]
    if (from === to) return true
    if (NEVER_MEET.includes(from) && NEVER_MEET.includes(to)) return false
    return rankOf(file) >= 0 && rankOf(target) >= rankOf(file)
  }

  test('the client imports nothing of ours but itself', () => {
    const wrong = SOURCES.filter((file) => folderOf(file) === 'client')
      .flatMap((file) => IMPORTS_OF.get(file) ?? [])
      .filter((target) => target.startsWith('src/') && folderOf(target) !== 'client')
    expect(wrong).toEqual([])
  })

  test('make no cycle', () => {
    expect(SOURCES.flatMap((file) => cycleThrough(file))).toEqual([])
  })

  /** The way back to the file, if there is one. */
  function cycleThrough(start: string): string[] {
    const from = new Map<string, string>()
    const queue = [start]
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      for (const target of IMPORTS_OF.get(file) ?? []) {
        if (target === start) return [[...wayTo(file, from), start].join(' > ')]
        if (from.has(target) || !IMPORTS_OF.has(target)) continue
        from.set(target, file)
        queue.push(target)
      }
    }
    return []
  }

  function wayTo(file: string, from: ReadonlyMap<string, string>): string[] {
    const before = from.get(file)
    return before === undefined ? [file] : [...wayTo(before, from), file]
  }

  test('of what one folder knows alone stay in that folder', () => {
    const wrong = PLACES.flatMap(([start, folders]) =>
      SOURCES.filter(
        (file) => !folders.some((place) => file === place || file.startsWith(`${place}/`)),
      )
        .filter((file) => (IMPORTS_OF.get(file) ?? []).some((target) => isOf(target, start)))
        .map((file) => `${file}: ${start}`),
    )
    expect(wrong).toEqual([])
  })

  const isOf = (target: string, start: string): boolean =>
    target === start || target.startsWith(start.endsWith('/') ? start : `${start}/`)

  test('of a concrete store come from commands, threads and itself', () => {
    const wrong = SOURCES.filter(
      (file) => !/^src\/(store\/embedded|commands|threads)\//.test(file),
    ).filter((file) =>
      (IMPORTS_OF.get(file) ?? []).some((it) => it.startsWith('src/store/embedded/')),
    )
    expect(wrong).toEqual([])
  })

  test('name packages that are dependencies, and every dependency is named', () => {
    const packages: unknown = JSON.parse(read('package.json')).dependencies
    const named = [...IMPORTS_OF.values()]
      .flat()
      .filter((it) => !/^(src\/|bun|node:|node_modules\/|package\.json)/.test(it))
    const names = named.map((it) => it.split('/', it.startsWith('@') ? 2 : 1).join('/'))
    expect([...new Set(names)].toSorted()).toEqual(Object.keys(Object(packages)).toSorted())
  })

  test('reach every file of src from an entry point', () => {
    const reached = new Set([MAIN, CLIENT, ...WORKERS])
    for (const file of reached) for (const target of IMPORTS_OF.get(file) ?? []) reached.add(target)
    expect(SOURCES.filter((file) => !reached.has(file))).toEqual([])
  })

  test('name for a Worker what is listed, and list what is named', () => {
    const named = SOURCES.flatMap((file) => [...read(file).matchAll(/workerEntry\('([^']+)'\)/g)])
    const files = named.map((match) => `src/threads/${match[1]}.ts`)
    expect(files.toSorted()).toEqual([...WORKERS].toSorted())
  })
})

describe('files', () => {
  test('are formatted', async () => {
    const { passed, output } = await checkFormat()
    expect(passed, output).toBe(true)
  })

  test('hold their types', async () => {
    const { passed, output } = await checkTypes()
    expect(passed, output).toBe(true)
  })

  test('have names that say what they are', () => {
    const vague = /(^|\/)(index|utils?|helpers?|common|shared|types|constants|misc|lib)(\/|\.ts$)/
    expect(CODE.filter((file) => vague.test(file.replace(/^test\/types\//, 'test/')))).toEqual([])
    expect(CODE.filter((file) => !/^[a-z0-9./_-]+$/.test(file))).toEqual([])
  })

  test('export by name', () => {
    const sources = CODE.filter((file) => !file.endsWith('.d.ts'))
    expect(sources.filter((file) => /^export default\b/m.test(read(file)))).toEqual([])
  })

  test('hold nothing unfinished, switched off or singled out', () => {
    const marks = new RegExp(['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX', 'not implemented'].join('|'))
    expect(SOURCES.filter((file) => marks.test(read(file)))).toEqual([])
    const switched = /\b(test|it|describe)\.(skip|only|todo)\(/
    expect(CODE.filter((file) => switched.test(read(file)))).toEqual([])
  })

  test('stand where the layout has a place for them', () => {
    const roots = new Set(trackedFiles().map((file) => file.split('/')[0] ?? ''))
    const known = new Set([
      ...['src', 'bench', 'scripts', 'test', '.ci', 'bunfig.toml', 'package.json', 'bun.lock'],
      ...['tsconfig.json', 'Dockerfile', '.dockerignore', '.gitignore', '.gitattributes'],
      ...['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'LICENSE'],
    ])
    expect([...roots].filter((root) => !known.has(root))).toEqual([])
  })

  test('name no place of the machine that they were written on', () => {
    // Written apart, so that this file does not find itself.
    const machine = new RegExp(
      ['\\.\\./sha' + 'red', '/wo' + 'rk/', '/fa' + 'rm/', '\\.libr' + 'ary', '/ro' + 'ot/'].join(
        '|',
      ),
    )
    const found = trackedFiles()
      .filter((file) => !file.startsWith('test/fixtures/') && !/\.(parquet|db|bin)$/.test(file))
      .filter((file) => existsSync(join(ROOT, file)) && machine.test(read(file)))
    expect(found).toEqual([])
  })

  test('the lock file names no host to install from', () => {
    expect([...read('bun.lock').matchAll(/https?:\/\/[^/"]+/g)].map((match) => match[0])).toEqual(
      [],
    )
  })

  function trackedFiles(): readonly string[] {
    const { stdout, exitCode } = Bun.spawnSync(['git', 'ls-files', '-z'], { cwd: ROOT })
    if (exitCode !== 0) throw new Error('this test reads the list of tracked files from git')
    return stdout
      .toString()
      .split('\0')
      .filter((file) => file !== '')
  }
})
