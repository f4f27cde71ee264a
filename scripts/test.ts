/** `bun run test`: builds, runs every test, and says in its last line how it went. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildExecutable } from './build.ts'
import { readTestReport } from './read-test-report.ts'

const ROOT = join(import.meta.dir, '..')
const TEST_FILES = new Bun.Glob('{test,bench}/**/*.test.ts')

/** One test may start a server, kill it and open its store again, on a busy machine. */
const TEST_MS_MAX = 120_000

await buildExecutable()
const folder = mkdtempSync(join(tmpdir(), 'salver-report-'))
const reportPath = join(folder, 'junit.xml')
const child = Bun.spawn(
  [
    process.execPath,
    'test',
    `--timeout=${TEST_MS_MAX}`,
    '--reporter=junit',
    `--reporter-outfile=${reportPath}`,
    ...process.argv.slice(2),
  ],
  { cwd: ROOT, stdout: 'inherit', stderr: 'inherit' },
)
const code = await child.exited
const xml = existsSync(reportPath) ? readFileSync(reportPath, 'utf8') : ''
rmSync(folder, { recursive: true })

// With arguments only some of the files were asked for.
const expected = process.argv.length > 2 ? [] : [...TEST_FILES.scanSync({ cwd: ROOT })]
const report = readTestReport(xml, expected)
for (const file of report.filesMissing) console.error(`${file} did not run`)
// A test that does not run on the machine that decides proves nothing there.
const skipsFail = process.env['CI'] === 'true' && report.skipped > 0
if (skipsFail) console.error(`${report.skipped} tests were skipped, which CI does not allow`)

const failedFiles = report.filesMissing.length
const failed = Math.max(report.failed + failedFiles, code === 0 ? 0 : 1)
const skipped = report.skipped === 0 ? '' : `, ${report.skipped} skipped`
console.log(`${report.passed} passed, ${failed} failed${skipped}`)
process.exit(failed > 0 || skipsFail ? 1 : 0)
