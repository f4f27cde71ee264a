/** Feast itself, from PyPI, in a Python environment of its own: what our answers are compared with. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PartMissing, partFolder, programPath, runProgram } from './parts-folder.ts'

/** Every version pinned: Feast 0.67.0 with its aws extra. */
const REQUIREMENTS = join(import.meta.dir, 'feast/requirements.txt')

/** The oldest Python that the pinned packages run on. */
const PYTHON_MIN = [3, 11] as const

/**
 * Path of the Python that has Feast; it is made at first use, in half a minute. Rejects with PartMissing
 * where there is no Python, or no network.
 */
export async function feastPython(): Promise<string> {
  const python = programPath('python3')
  const version = await versionOf(python)
  const digest = Bun.hash(`${version} ${readFileSync(REQUIREMENTS, 'utf8')}`).toString(16)
  const folder = await partFolder(`feast-${digest}`, async (draft) => {
    await runProgram([python, '-m', 'venv', draft])
    const pip = [join(draft, 'bin/python'), '-m', 'pip', 'install', '-q']
    await runProgram([...pip, '--disable-pip-version-check', '-r', REQUIREMENTS])
  })
  return join(folder, 'bin/python')
}

async function versionOf(python: string): Promise<string> {
  const script = 'import sys; print(*sys.version_info[:2])'
  const [major = 0, minor = 0] = (await runProgram([python, '-c', script])).split(' ').map(Number)
  const [majorMin, minorMin] = PYTHON_MIN
  if (major !== majorMin || minor < minorMin) {
    throw new PartMissing(`Feast needs Python ${PYTHON_MIN.join('.')}, not ${major}.${minor}`)
  }
  return `${major}.${minor}`
}

if (import.meta.main) console.log(await feastPython())
