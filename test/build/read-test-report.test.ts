import { expect, test } from 'bun:test'
import { readTestReport } from '../../scripts/read-test-report.ts'

const REPORT = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="bun test" tests="7" assertions="2" failures="2" skipped="3" time="0.009">
  <testsuite name="test/a.test.ts" file="test/a.test.ts" tests="4" failures="1" skipped="2">
    <testcase name="says failures=&quot;9&quot;" classname="d" time="0" file="test/a.test.ts" />
  </testsuite>
  <testsuite name="test/c.test.ts" file="test/c.test.ts" tests="3" failures="1" skipped="1" />
</testsuites>`

test('passed, failed and skipped tests are counted once each', () => {
  const report = readTestReport(REPORT, ['test/a.test.ts', 'test/c.test.ts'])
  expect(report).toEqual({ passed: 2, failed: 2, skipped: 3, filesMissing: [] })
})

test('a file that could not be loaded is missed', () => {
  const files = ['test/a.test.ts', 'test/b.test.ts', 'test/c.test.ts']
  expect(readTestReport(REPORT, files).filesMissing).toEqual(['test/b.test.ts'])
})

test('a run that died before its report missed every file', () => {
  const report = readTestReport('', ['test/a.test.ts'])
  expect(report).toEqual({ passed: 0, failed: 0, skipped: 0, filesMissing: ['test/a.test.ts'] })
})
