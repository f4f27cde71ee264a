import { expect, test } from 'bun:test'
import { ROW_BYTES_MAX } from '../../src/base/limits.ts'
import type { PlainValue } from '../../src/catalog/catalog.ts'
import { valueType } from '../../src/catalog/value-type.ts'
import { makeLayout } from '../../src/row/layout.ts'
import { RowMerger } from '../../src/row/merge.ts'
import type { StoredKind } from '../../src/row/order-rule.ts'
import { OUTCOME, OUTCOME_NAMES } from '../../src/row/order-rule.ts'
import { checkRow, readTime, readValue } from '../../src/row/row-reader.ts'
import { RowWriter } from '../../src/row/row-writer.ts'
import { SeededRandom, stepsOf } from '../base/seeded-random.ts'

const layout = makeLayout(
  [
    { name: 'count', type: valueType('INT64') },
    { name: 'name', type: valueType('STRING') },
    { name: 'rate', type: valueType('FLOAT') },
    { name: 'tags', type: valueType('STRING_LIST') },
    { name: 'emb', type: valueType('DOUBLE_LIST') },
  ],
  true,
)
const POSITIONS = layout.features.map((_, position) => position)

/** A write of some features as of a time, or a delete. */
type Change =
  | { readonly timeUs: number; readonly values: ReadonlyMap<number, PlainValue> }
  | { readonly timeUs: number; readonly values: 'delete' }

const write = (timeUs: number, values: { readonly [position: number]: PlainValue }): Change => ({
  timeUs,
  values: new Map(Object.entries(values).map(([position, value]) => [Number(position), value])),
})
const remove = (timeUs: number): Change => ({ timeUs, values: 'delete' })

/** One key of a store that keeps what the merger says. */
class OneKey {
  readonly #merger = new RowMerger(layout)
  readonly #writer = new RowWriter(layout)
  kind: StoredKind = 'nothing'
  timeUs = NaN
  row: Uint8Array = new Uint8Array(0)

  apply(change: Change): string {
    const merger = this.#merger
    merger.onto(this.kind, this.timeUs, this.row, 0, this.row.length)
    let target: Uint8Array
    if (change.values === 'delete') {
      target = new Uint8Array(merger.rowBytesMax(0))
      merger.mergeDelete(change.timeUs, target, 0)
    } else {
      const incoming = this.#rowOf(change.timeUs, change.values)
      target = new Uint8Array(merger.rowBytesMax(incoming.length - 8) + 8).fill(0xee)
      merger.mergeRow(incoming, 8, target, 0)
    }
    if (merger.write !== 'nothing') {
      this.kind = merger.write
      this.timeUs = merger.timeUs
      this.row = target.slice(0, merger.rowBytes)
    }
    if (this.kind === 'row') expect(checkRow(layout, this.row, 0, this.row.length)).toBe(true)
    return OUTCOME_NAMES[merger.outcome]!
  }

  /** The incoming row, at byte 8 of its buffer. */
  #rowOf(timeUs: number, values: ReadonlyMap<number, PlainValue>): Uint8Array {
    this.#writer.begin(timeUs)
    for (const [position, value] of values) this.#writer.set(position, value)
    const bytes = new Uint8Array(8 + this.#writer.byteLength)
    this.#writer.finish(bytes, 8)
    return bytes
  }

  /** For each feature its value (undefined: absent) and the time since which that is so. */
  state(): [PlainValue | undefined, number][] {
    return POSITIONS.map((position) => {
      if (this.kind === 'nothing') return [undefined, -Infinity]
      if (this.kind === 'tombstone') return [undefined, this.timeUs]
      return [
        readValue(layout, this.row, 0, this.row.length, position),
        readTime(this.row, 0, position),
      ]
    })
  }
}

test('what a change did is told in the words of the receipt', () => {
  const key = new OneKey()
  expect(key.apply(write(10, { 0: 1, 1: 'ann' }))).toBe('new')
  expect(key.apply(write(10, { 0: 1, 1: 'ann' }))).toBe('unchanged')
  expect(key.apply(write(9, { 0: 2 }))).toBe('older')
  expect(key.apply(write(11, { 0: 1 }))).toBe('refreshed')
  expect(key.apply(write(10, { 0: 3, 2: 0.5 }))).toBe('changed') // count is older, rate is new
  expect(key.apply(write(12, { 1: null }))).toBe('changed')
  expect(key.state()).toEqual([
    [1, 11],
    [null, 12],
    [0.5, 10],
    [undefined, -Infinity],
    [undefined, -Infinity],
  ])
  expect(key.timeUs).toBe(12)
  expect(key.apply(remove(9))).toBe('refreshed') // tags and emb are known to be absent since 9
  expect(key.apply(remove(9))).toBe('older')
  expect(key.apply(remove(11))).toBe('changed')
  expect(key.state()[1]).toEqual([null, 12])
  expect(key.apply(remove(12))).toBe('deleted')
  expect(key.kind).toBe('tombstone')
  expect(key.apply(remove(12))).toBe('unchanged')
  expect(key.apply(remove(11))).toBe('older')
  expect(key.apply(remove(13))).toBe('touched')
  expect(key.apply(write(12, { 0: 1 }))).toBe('older')
  expect(key.kind).toBe('tombstone')
  expect(key.apply(write(14, { 0: 1 }))).toBe('new')
  expect(key.state()[1]).toEqual([undefined, 13])
})

test('a delete of nothing leaves a tombstone that blocks older writes', () => {
  const key = new OneKey()
  expect(key.apply(remove(5))).toBe('deleted')
  expect(key.apply(write(4, { 0: 1 }))).toBe('older')
  expect(key.apply(write(6, { 0: 2 }))).toBe('new')
  expect(key.state().map(([, timeUs]) => timeUs)).toEqual([6, 5, 5, 5, 5])
})

test('a write in which nothing is decided changes nothing', () => {
  const key = new OneKey()
  expect(key.apply(write(5, {}))).toBe('unchanged')
  expect(key.kind).toBe('nothing')
})

test('equal content of another length or presence is a change', () => {
  const key = new OneKey()
  key.apply(write(1, { 3: ['a'], 4: [1] }))
  expect(key.apply(write(1, { 3: ['a', 'b'] }))).toBe('changed')
  expect(key.apply(write(1, { 4: null }))).toBe('changed')
  expect(key.apply(write(1, { 4: [] }))).toBe('changed')
  expect(key.apply(write(1, { 3: ['a', 'b'], 4: [] }))).toBe('unchanged')
})

test('a merged row that is too large is rejected, and what was there stays', () => {
  const key = new OneKey()
  const half = 'x'.repeat(ROW_BYTES_MAX / 2)
  expect(key.apply(write(1, { 1: half }))).toBe('new')
  const before = key.row
  expect(key.apply(write(2, { 3: [half] }))).toBe('rejected')
  expect(key.row).toEqual(before)
  expect(key.apply(write(2, { 1: 'small', 3: [half] }))).toBe('changed')
})

/** The plain model: for each feature the latest that was said of it. */
function modelOf(changes: readonly Change[]): [PlainValue | undefined, number][] {
  return POSITIONS.map((position) => {
    let said: [PlainValue | undefined, number] = [undefined, -Infinity]
    for (const { timeUs, values } of changes) {
      if (values !== 'delete' && !values.has(position)) continue
      const value = values === 'delete' ? undefined : values.get(position)
      if (timeUs > said[1]) said = [value, timeUs]
    }
    return said
  })
}

function randomChange(random: SeededRandom, timeUs: number): Change {
  if (random.chance(0.2)) return remove(timeUs)
  const makers: (() => PlainValue)[] = [
    () => random.below(3),
    () => random.pick(['', 'ann', 'bob']),
    () => random.pick([0.5, 1]),
    () => random.list(2, () => random.pick(['x', 'y'])),
    () => random.list(3, () => random.below(2)),
  ]
  const values = new Map<number, PlainValue>()
  makers.forEach((make, position) => {
    if (random.chance(0.4)) values.set(position, random.chance(0.2) ? null : make())
  })
  return { timeUs, values }
}

test('the end state depends on the changes, not on their order of arrival', () => {
  const random = new SeededRandom('merge histories')
  for (let step = 0; step < stepsOf(200); step++) {
    // Times all differ: on ties the later arrival wins, by the rule
    const times = random.shuffled(
      Array.from({ length: 1 + random.below(12) }, (_, place) => place * 7),
    )
    const history = times.map((timeUs) => randomChange(random, timeUs))
    const repeats = history.filter(() => random.chance(0.3))
    const expected = modelOf(history)
    for (let order = 0; order < 4; order++) {
      const key = new OneKey()
      for (const change of random.shuffled([...history, ...repeats])) key.apply(change)
      expect(key.state()).toEqual(expected)
      const latest = Math.max(...expected.map(([, timeUs]) => timeUs))
      if (key.kind !== 'nothing') expect(key.timeUs).toBe(latest)
      expect(key.kind === 'row').toBe(expected.some(([value]) => value !== undefined))
    }
  }
})

test('all changes sent once more change nothing', () => {
  const random = new SeededRandom('merge again')
  for (let step = 0; step < stepsOf(100); step++) {
    const history = Array.from({ length: 8 }, (_, place) => randomChange(random, place))
    const key = new OneKey()
    for (const change of history) key.apply(change)
    const before = key.state()
    for (const change of random.shuffled(history)) {
      expect(['older', 'unchanged']).toContain(key.apply(change))
    }
    expect(key.state()).toEqual(before)
  }
})

test('a merger of rows without times is refused', () => {
  expect(() => new RowMerger(makeLayout(layout.features, false))).toThrow('times')
  expect(OUTCOME.rejected).toBe(6)
})
