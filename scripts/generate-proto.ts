/** Makes src/catalog/feast-registry_pb.ts from feast-registry.proto. Run it after a change of the latter. */
import { join } from 'node:path'

const root = join(import.meta.dir, '..')
const folder = 'src/catalog'
const made = `${folder}/feast-registry_pb.ts`

const template = JSON.stringify({
  version: 'v2',
  plugins: [{ local: 'protoc-gen-es', out: '.', opt: ['target=ts', 'import_extension=ts'] }],
})

function run(command: string[]): void {
  const path = `${join(root, 'node_modules/.bin')}:${process.env['PATH'] ?? ''}`
  const ended = Bun.spawnSync(command, {
    cwd: join(root, folder),
    env: { ...process.env, PATH: path },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  if (ended.exitCode !== 0) throw new Error(`${command.join(' ')}: exit code ${ended.exitCode}`)
}

run(['buf', 'generate', '--template', template])
run([process.execPath, 'fmt', '--no-script', 'feast-registry_pb.ts'])
console.log(`made ${made}`)
