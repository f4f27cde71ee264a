/** What `with { type: 'file' }` gives for it: its path, on disk or inside the executable. */
declare module 'parquet-wasm/bundler/parquet_wasm_bg.wasm' {
  const path: string
  export default path
}
