/** A Dockerfile as its stages and their instructions: enough to run its steps without an engine. */

export type Instruction = { readonly word: string; readonly rest: string }
export type Stage = { readonly name: string; readonly instructions: readonly Instruction[] }

export function parseDockerfile(text: string): readonly Stage[] {
  const stages: { name: string; instructions: Instruction[] }[] = []
  for (const line of text.replaceAll('\\\n', ' ').split('\n')) {
    const parts = /^([A-Z]+)\s+(.*)$/.exec(line.trim())
    if (parts === null) continue
    const [, word = '', rest = ''] = parts
    if (word === 'FROM') stages.push({ name: / AS (\w+)$/.exec(rest)?.[1] ?? '', instructions: [] })
    stages.at(-1)?.instructions.push({ word, rest })
  }
  return stages
}

/** The rests of a stage's instructions of one word. */
export const restsOf = (stage: Stage | undefined, word: string): readonly string[] =>
  (stage?.instructions ?? []).filter((it) => it.word === word).map((it) => it.rest)

/** `["a", "b"]` as it stands behind CMD, ENTRYPOINT or HEALTHCHECK. */
export function execForm(rest: string): readonly string[] {
  const parsed: unknown = JSON.parse(rest.slice(rest.indexOf('[')))
  if (!Array.isArray(parsed)) throw new Error(`${rest} is not in exec form`)
  return parsed.map(String)
}
