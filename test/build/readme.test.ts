import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { resolveCommand } from '../../src/cli/resolve-command.ts'
import { withMadeParts } from '../../scripts/readme-tables.ts'

const README = readFileSync(join(import.meta.dir, '../../README.md'), 'utf8')

describe('README.md', () => {
  test('says in its made parts what the source says: bun scripts/readme-tables.ts', () => {
    expect(withMadeParts(README)).toBe(README)
  })

  test('has the two commands, for the Bun that package.json asks for', () => {
    const { engines, scripts } = JSON.parse(
      readFileSync(join(import.meta.dir, '../../package.json'), 'utf8'),
    )
    for (const name of ['demo', 'test', 'build']) {
      expect(scripts).toHaveProperty(name)
      expect(README).toContain(`npx -y bun@${engines.bun} run ${name}`)
    }
  })

  test('shows only command lines that are understood', () => {
    const lines = [...README.matchAll(/^salver (.+)$/gm)].map((match) => match[1] ?? '')
    expect(lines.length).toBeGreaterThan(5)
    for (const line of lines) {
      const resolved = resolveCommand(line.split(' '), { environment: {}, errIsTerminal: false })
      expect(resolved.kind).toBe('command')
    }
  })
})
