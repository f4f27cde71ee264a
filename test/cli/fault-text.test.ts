import { expect, test } from 'bun:test'
import { Fault } from '../../src/base/fault.ts'
import { faultText } from '../../src/cli/fault-text.ts'

test('a fault says where, what and what is allowed', () => {
  const fault = new Fault('usage', 'needs a value', { where: '--port', allowed: '1 to 9' })
  expect(faultText(fault)).toBe('salver: --port: needs a value (allowed: 1 to 9)\n')
})

test('every fault of many has its own line', () => {
  const faults = [new Fault('usage', 'one', { where: 'a' }), new Fault('usage', 'two')]
  const fault = new Fault('catalog_invalid', '2 faults', { where: 'features.yaml', faults })
  expect(faultText(fault)).toBe('salver: features.yaml: 2 faults\n  a: one\n  two\n')
})
