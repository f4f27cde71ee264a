import { describe, expect, test } from 'bun:test'
import { Fault } from '../../src/base/fault.ts'
import type { FeatureService } from '../../src/catalog/catalog.ts'
import { makePlan } from '../../src/query/make-plan.ts'
import { nativePlans } from '../../src/query/plan-cache.ts'
import { MemoryRows } from './memory-rows.ts'
import { smallCatalog } from './small-catalog.ts'

const airport = {
  name: 'airport',
  keys: { origin: 'STRING' },
  features: { flights: 'INT64', delay: 'FLOAT' },
} as const
const route = {
  name: 'route',
  keys: { origin: 'STRING', destination: 'STRING' },
  features: { mean: 'DOUBLE' },
} as const

const renamed: FeatureService = {
  name: 'legs',
  projections: [
    {
      view: 0,
      alias: 'from',
      versionTag: -1,
      features: [1, 0],
      joinKeyMap: new Map([['origin', 'from_id']]),
    },
    {
      view: 0,
      alias: 'to',
      versionTag: -1,
      features: [0],
      joinKeyMap: new Map([['origin', 'to_id']]),
    },
  ],
  precomputed: false,
  onDemand: [],
}
const withOnDemand: FeatureService = { ...renamed, name: 'scored', onDemand: ['score'] }

const catalog = smallCatalog(
  [
    airport,
    route,
    { ...airport, name: 'offline', changes: { online: false } },
    { ...airport, name: 'off', changes: { disabled: true } },
    { ...airport, name: 'busy', changes: { refusedState: 'MATERIALIZING' } },
    { name: 'world', keys: {}, features: { total: 'INT64' } },
  ],
  [renamed, withOnDemand],
  [{ kind: 'on-demand view', name: 'score', reason: 'it needs a Python function' }],
)
const store = new MemoryRows()

const plan = (...references: string[]) =>
  makePlan(catalog, { service: '', references, form: 'rows' }, store)
const planService = (service: string) =>
  makePlan(catalog, { service, references: [], form: 'rows' }, store)

function faultOf(call: () => unknown): Fault {
  try {
    call()
  } catch (error) {
    if (error instanceof Fault) return error
    throw error
  }
  throw new Error('no fault')
}

describe('a plan', () => {
  test('has one block for each view and the outputs in the asked order', () => {
    const { blocks, outputs, featureCount } = plan('airport:delay', 'route:mean', 'airport:flights')
    expect(blocks.map((block) => block.name)).toEqual(['airport', 'route'])
    expect(blocks.map((block) => [...block.features])).toEqual([[1, 0], [0]])
    expect(outputs).toEqual([
      { block: 0, place: 0 },
      { block: 1, place: 0 },
      { block: 0, place: 1 },
    ])
    expect(featureCount).toBe(3)
  })

  test('takes keys in key order, not in the order of the definition', () => {
    expect(plan('route:mean').blocks[0]!.keys.map((key) => key.name)).toEqual([
      'destination',
      'origin',
    ])
  })

  test('of a service obeys its aliases and its renamed keys', () => {
    const { blocks } = planService('legs')
    expect(blocks.map((block) => [block.name, block.keys[0]!.column])).toEqual([
      ['from', 'from_id'],
      ['to', 'to_id'],
    ])
    expect([...blocks[0]!.features]).toEqual([1, 0])
  })

  test("of an entityless view holds Feast's dummy key", () => {
    expect(plan('world:total').blocks[0]!.constantKey.toHex()).toBe('0200000000000000')
  })

  test('under versioning takes the version that is asked for', () => {
    const versioned = {
      ...smallCatalog([
        { ...airport, changes: { version: 2 } },
        { ...airport, changes: { version: 1 } },
      ]),
      versioning: true,
    }
    const references = ['airport:delay', 'airport@v1:delay', 'airport@latest:flights']
    const { blocks } = makePlan(versioned, { service: '', references, form: 'rows' }, store)
    expect(blocks.map((block) => [block.name, block.view.version])).toEqual([
      ['airport', 2],
      ['airport@v1', 1],
    ])
    const never = { service: '', references: ['airport@v7:delay'], form: 'rows' } as const
    expect(faultOf(() => makePlan(versioned, never, store)).code).toBe('unknown_view')
  })

  test('has a schema id that depends on what is asked and in which form, and on nothing else', () => {
    const ask = { service: '', references: ['airport:delay'], form: 'rows' } as const
    const id = makePlan(catalog, ask, store).schemaId
    expect(id).toMatch(/^[0-9a-f]{16}$/)
    expect(makePlan(catalog, ask, new MemoryRows()).schemaId).toBe(id)
    expect(makePlan(catalog, { ...ask, form: 'matrix' }, store).schemaId).not.toBe(id)
    expect(plan('airport:flights').schemaId).not.toBe(id)
  })
})

describe('a name that can not be served is a fault that says why', () => {
  test.each([
    ['airprot:delay', 'unknown_view', 'did you mean "airport"?'],
    ['airport:dely', 'unknown_feature', 'did you mean "delay"?'],
    ['airport', 'invalid_request', 'not a feature reference'],
    ['offline:delay', 'not_served', 'online=False'],
    ['off:delay', 'not_served', 'disabled'],
    ['busy:delay', 'not_served', 'MATERIALIZING'],
    ['score:x', 'not_served', 'it needs a Python function'],
    ['airport@v3:delay', 'not_served', 'versions of views are not served'],
  ])('%s', (reference, code, words) => {
    const fault = faultOf(() => plan('airport:flights', reference))
    expect(fault.code as string).toBe(code)
    expect(fault.message).toContain(words)
    expect(fault.where).toBe('features[1]')
  })

  test('a service', () => {
    const unknown = faultOf(() => planService('leg'))
    expect(unknown.code).toBe('unknown_service')
    expect(unknown.message).toContain('did you mean "legs"?')
    const held = faultOf(() => planService('scored'))
    expect(held.code).toBe('not_served')
    expect(held.message).toContain('score')
  })

  test('a feature asked for twice, and nothing asked for', () => {
    expect(faultOf(() => plan('airport:delay', 'airport:delay')).code).toBe('invalid_request')
    expect(faultOf(() => plan()).code).toBe('invalid_request')
  })

  test('more features than a request may hold', () => {
    const features = Object.fromEntries(
      Array.from({ length: 4000 }, (_, index) => [`f${index}`, 'INT32' as const]),
    )
    const wide = smallCatalog(
      ['a', 'b', 'c'].map((name) => ({ name, keys: { id: 'INT64' as const }, features })),
    )
    const references = wide.views.flatMap((view) =>
      view.features.map((feature) => `${view.name}:${feature.name}`),
    )
    const fault = faultOf(() => makePlan(wide, { service: '', references, form: 'rows' }, store))
    expect(fault.code).toBe('too_large')
  })
})

describe('the plan cache', () => {
  const ask = { service: '', references: ['airport:delay'], form: 'rows' } as const

  test('makes a plan once and forgets it with its catalog', () => {
    const rows = new MemoryRows()
    rows.put(catalog.views[0]!, ['SFO'], {}, 0)
    const plans = nativePlans(rows)
    const first = plans.planFor(catalog, ask)
    expect(plans.planFor(catalog, { ...ask, references: [...ask.references] })).toBe(first)
    expect(plans.planFor(catalog, { ...ask, form: 'matrix' })).not.toBe(first)
    const again = smallCatalog([airport])
    expect(plans.planFor(again, ask)).not.toBe(first)
    expect(plans.size).toBe(1)
  })

  test('sees a table that came after the plan', () => {
    const rows = new MemoryRows()
    const plans = nativePlans(rows)
    expect(plans.planFor(catalog, ask).blocks[0]!.table).toBe(0)
    rows.put(catalog.views[0]!, ['SFO'], {}, 0)
    expect(plans.planFor(catalog, ask).blocks[0]!.table).toBe(1)
  })

  test('drops the plan that was not asked for the longest', () => {
    const rows = new MemoryRows()
    for (const view of catalog.views)
      rows.put(
        view,
        view.joinKeys.map(() => 'x'),
        {},
        0,
      )
    const plans = nativePlans(rows, 2)
    const one = plans.planFor(catalog, ask)
    const two = plans.planFor(catalog, { ...ask, references: ['airport:flights'] })
    plans.planFor(catalog, ask)
    plans.planFor(catalog, { ...ask, references: ['route:mean'] })
    expect(plans.size).toBe(2)
    expect(plans.planFor(catalog, ask)).toBe(one)
    expect(plans.planFor(catalog, { ...ask, references: ['airport:flights'] })).not.toBe(two)
  })
})
