/** `bun run build`: the executable dist/salver, made anew only where what goes into it changed. */
import {
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { MAIN, WORKERS } from './entry-points.ts'

const ROOT = join(import.meta.dir, '..')
const DIST = join(ROOT, 'dist')
const OUTPUT = join(DIST, 'salver')
/** Digest of everything that went into the executable beside it. */
const STAMP = join(DIST, 'salver.inputs')

const INPUTS = new Bun.Glob('{src,scripts}/**/*')
const INPUT_FILES = ['package.json', 'bun.lock', 'tsconfig.json']

/** Path of an executable that is up to date. */
export async function buildExecutable(): Promise<string> {
  const digest = digestInputs()
  if (existsSync(OUTPUT) && existsSync(STAMP) && readFileSync(STAMP, 'utf8') === digest) {
    return OUTPUT
  }
  mkdirSync(DIST, { recursive: true })
  rmSync(STAMP, { force: true })
  // Under another name first: whoever runs the old one meanwhile keeps it whole.
  const draft = `${OUTPUT}.${process.pid}`
  const built = await Bun.build({
    entrypoints: [MAIN, ...WORKERS].map((entry) => join(ROOT, entry)),
    target: 'bun',
    format: 'esm',
    bytecode: true,
    minify: { syntax: true, whitespace: true },
    sourcemap: 'inline',
    // The executable obeys its own flags, environment and config file, and no file of the folder.
    compile: { outfile: draft, autoloadDotenv: false, autoloadBunfig: false },
  })
  if (!built.success) throw new AggregateError(built.logs, 'the executable could not be built')
  // The maps are inside too, for stack traces; copies beside the file help nobody.
  for (const map of new Bun.Glob('*.map').scanSync(DIST)) rmSync(join(DIST, map))
  renameSync(draft, OUTPUT)
  writeFileSync(STAMP, digest)
  return OUTPUT
}

function digestInputs(): string {
  const hash = new Bun.CryptoHasher('sha256')
  hash.update(`${Bun.version} ${process.platform} ${process.arch}\n`)
  const files = [...INPUTS.scanSync({ cwd: ROOT, onlyFiles: true })].toSorted()
  for (const file of [...files, ...INPUT_FILES]) {
    hash.update(`${file}\n`).update(readFileSync(join(ROOT, file)))
  }
  return hash.digest('hex')
}

if (import.meta.main) {
  const startMs = performance.now()
  const path = await buildExecutable()
  const megabytes = (statSync(path).size / 1e6).toFixed(1)
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1)
  console.error(`dist/salver: ${megabytes} MB, ${seconds} s`)
}
