/** What the JUnit report of a test run says, and what it leaves out. */

export type TestReport = {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  /** Test files that are not in the report: they could not be loaded, or the run died before them. */
  readonly filesMissing: readonly string[]
}

/** An empty text is the report of a run that died. */
export function readTestReport(xml: string, expectedFiles: readonly string[]): TestReport {
  const totals = /<testsuites ([^>]*)>/.exec(xml)?.[1] ?? ''
  const count = (name: string) => Number(new RegExp(`\\b${name}="(\\d+)"`).exec(totals)?.[1] ?? '0')
  const failed = count('failures')
  const skipped = count('skipped')
  const files = new Set([...xml.matchAll(/<testsuite [^>]*\bfile="([^"]*)"/g)].map((it) => it[1]))
  return {
    passed: count('tests') - failed - skipped,
    failed,
    skipped,
    filesMissing: expectedFiles.filter((file) => !files.has(file)),
  }
}
