import { expect, test } from 'bun:test'
import { ByteWriter } from '../../src/codec/byte-writer.ts'
import { JSON_NUMBERS, writeDouble } from '../../src/codec/json-text.ts'
import { NumberRun } from '../../src/codec/number-run.ts'
import { PYTHON_FLOATS, writePythonFloat } from '../../src/codec/python-float.ts'
import { SeededRandom, stepsOf } from '../base/seeded-random.ts'

const SPECIAL = [
  0,
  -0,
  1,
  -1,
  1.5,
  0.1,
  1e-4,
  9.999e-5,
  1e-5,
  1e-7,
  1e15,
  1e16,
  1e17,
  1e21,
  1e22,
  123456789012345.6,
  NaN,
  Infinity,
  -Infinity,
  5e-324,
  1.7976931348623157e308,
  0.30000000000000004,
  2 ** 53,
  0.00012345,
]

function anyNumber(random: SeededRandom): number {
  const chosen = random.below(4)
  if (chosen === 0) return random.pick(SPECIAL)
  if (chosen === 1) return Math.fround((random.next() - 0.5) * 10 ** (random.below(40) - 20))
  if (chosen === 2) return Math.round(random.next() * 1000) / 100
  return (random.next() - 0.5) * 10 ** (random.below(600) - 300)
}

test.each([
  ["as writeDouble's", JSON_NUMBERS, writeDouble],
  ["as Python's", PYTHON_FLOATS, writePythonFloat],
] as const)('the text of a run is that of its numbers one by one, %s', (name, style, writeOne) => {
  const random = new SeededRandom(name)
  const run = new NumberRun(style)
  const nothing = new TextEncoder().encode('null')
  for (let step = stepsOf(2000); step > 0; step--) {
    const cells = random.list(30, () => (random.chance(0.1) ? null : anyNumber(random)))
    const [together, apart] = [new ByteWriter(), new ByteWriter()]
    together.ascii('[')
    apart.ascii('[')
    cells.forEach((cell, place) => {
      if (place > 0) apart.ascii(',')
      if (cell === null) {
        run.addRaw(together, nothing, place === 0)
        apart.ascii('null')
      } else {
        run.add(together, cell, place === 0)
        writeOne(apart, cell)
      }
    })
    run.flush(together)
    together.ascii(']')
    apart.ascii(']')
    expect(new TextDecoder().decode(together.take())).toBe(new TextDecoder().decode(apart.take()))
  }
})

test('a list that was given up leaves nothing to the next one', () => {
  const run = new NumberRun(JSON_NUMBERS)
  const out = new ByteWriter()
  out.ascii('[')
  run.add(out, 1.5, true)
  out.reset()
  out.ascii('[')
  run.add(out, 2.5, true)
  run.flush(out)
  expect(new TextDecoder().decode(out.take())).toBe('[2.5')
})
