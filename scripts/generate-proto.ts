/** Makes src/catalog/feast-registry_pb.ts from feast-registry.proto. Run it after a change of the latter. */
import { join, resolve } from 'node:path'

const root = join(import.meta.dir, '..')
const SCHEMA_FOLDER = join(root, 'src/catalog')
const MADE = 'feast-registry_pb.ts'

/** Writes the generated code, formatted as the rest of the tree, into `folder`; its path. */
export function generateProto(folder: string): string {
  const out = resolve(folder)
  const opt = ['target=ts', 'import_extension=ts']
  const template = { version: 'v2', plugins: [{ local: 'protoc-gen-es', out, opt }] }
  run(['buf', 'generate', '--template', JSON.stringify(template)], SCHEMA_FOLDER)
  const made = join(out, MADE)
  run([process.execPath, 'fmt', '--no-script', made], root)
  return made
}

function run(command: string[], cwd: string): void {
  const PATH = `${join(root, 'node_modules/.bin')}:${process.env['PATH'] ?? ''}`
  const ended = Bun.spawnSync(command, {
    cwd,
    env: { ...process.env, PATH },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  if (ended.exitCode !== 0) throw new Error(`${command.join(' ')}: exit code ${ended.exitCode}`)
}

if (import.meta.main) console.log(`made ${generateProto(SCHEMA_FOLDER)}`)
