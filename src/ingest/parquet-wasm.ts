/// <reference path="./wasm-file.d.ts" />
/**
 * Loads the Parquet reader when the first file asks for it: compiling its wasm takes a tenth of a
 * second that nothing else should pay. The wasm is part of the executable.
 *
 * Bytes that the Rust code did not expect can end in a wasm trap. Traps inside a promise's callback
 * would leave that promise pending for ever and take the process down as an uncaught error, so the
 * callbacks are started by `runGuarded`: a trap becomes the rejection of `broken`. The instance, whose
 * memory is in no known state, is not used again, and there is no second one in a process: what the
 * garbage collector finds of the first would be freed in its memory.
 */
import wasmPath from 'parquet-wasm/bundler/parquet_wasm_bg.wasm' with { type: 'file' }
import type { ParquetFile, RecordBatch } from 'parquet-wasm/bundler'

export type { ParquetFile, RecordBatch }

export type ParquetReader = {
  fromFile(handle: Blob): Promise<ParquetFile>
  /** Never resolves; rejects when the reader has trapped. */
  readonly broken: Promise<never>
}

type Imports = Bun.WebAssembly.ModuleImports

type Glue = Imports & {
  readonly ParquetFile: typeof ParquetFile
  readonly __wbg_set_wasm: (exports: object) => void
}

let loading: Promise<ParquetReader> | undefined

export function parquetReader(): Promise<ParquetReader> {
  loading ??= load()
  return loading
}

async function load(): Promise<ParquetReader> {
  const [glue, bytes] = await Promise.all([
    // @ts-expect-error: the package's own entry to it imports the wasm in a way that only bundlers know
    import('../../node_modules/parquet-wasm/bundler/parquet_wasm_bg.js') as Promise<Glue>,
    Bun.file(wasmPath).bytes(),
  ])
  const { promise: broken, reject } = Promise.withResolvers<never>()
  broken.catch(() => undefined) // whoever waits for a read hears of it
  const onTrap = (cause: unknown): void => {
    loading = Promise.reject(new Error('the reader broke off at a file before this one'))
    loading.catch(() => undefined) // for whoever asks next
    reject(cause)
  }
  const { instance } = await WebAssembly.instantiate(bytes, {
    './parquet_wasm_bg.js': guarded(glue, onTrap),
  })
  glue.__wbg_set_wasm(instance.exports)
  const start = instance.exports['__wbindgen_start']
  if (typeof start === 'function') start()
  return { fromFile: (handle) => glue.ParquetFile.fromFile(handle), broken }
}

/** The imports of the wasm, but for the one by which it asks to be called again soon. */
function guarded(glue: Glue, onTrap: (cause: unknown) => void): Imports {
  const imports: Imports = { ...glue }
  const runGuarded = (callback: () => unknown): void =>
    queueMicrotask(() => {
      try {
        callback()
      } catch (cause) {
        onTrap(cause)
      }
    })
  for (const name of Object.keys(imports)) {
    if (!name.startsWith('__wbg_queueMicrotask_')) continue
    const original = imports[name] as (argument: unknown) => unknown // the glue has only functions
    // Of the two with this prefix one is given the callback, the other the object to look for it in.
    imports[name] = (argument: unknown) =>
      isCallback(argument) ? runGuarded(argument) : original(argument)
  }
  return imports
}

const isCallback = (argument: unknown): argument is () => unknown => typeof argument === 'function'
