/** JSON text in which an integer that a double can't hold keeps its digits. */

type RawJson = { readonly rawJSON: (text: string) => unknown }
/** The engine has it; the compiler's library does not know it yet. */
const { rawJSON } = JSON as unknown as RawJson

export const toJson = (value: unknown): string =>
  JSON.stringify(value, (_, each: unknown) =>
    typeof each === 'bigint' ? rawJSON(each.toString()) : each,
  )
