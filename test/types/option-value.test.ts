import { expectTypeOf, test } from 'bun:test'
import type { Command, ServeCommand } from '../../src/cli/command.ts'
import type { OptionValue } from '../../src/cli/options.ts'

test('an option has the type that its kind reads', () => {
  expectTypeOf<OptionValue<'port'>>().toEqualTypeOf<number>()
  expectTypeOf<OptionValue<'readOnly'>>().toEqualTypeOf<boolean>()
  expectTypeOf<OptionValue<'durability'>>().toEqualTypeOf<'sync' | 'process'>()
  expectTypeOf<OptionValue<'entities'>>().toEqualTypeOf<readonly (readonly [string, string])[]>()
})

test('a name that is no option does not compile', () => {
  // @ts-expect-error there is no such option
  expectTypeOf<OptionValue<'prot'>>().toBeNever()
})

test('commands are told apart by their kind', () => {
  expectTypeOf<Extract<Command, { kind: 'serve' }>>().toEqualTypeOf<ServeCommand>()
})
