/** Text as Python shows it: the literal of `repr`, the ASCII JSON of `json.dumps`. */

const NAMED: { readonly [character: string]: string } = {
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
}

/** What `repr` escapes: controls, separators other than the space, and what is no character. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]|(?! )\p{Zs}|\\/gu

/** `repr(text)`: single quotes, unless the text holds one and no double one. */
export function pythonQuoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'"
  const escaped = text.replace(UNPRINTABLE, (character) => NAMED[character] ?? hexEscape(character))
  return `${quote}${quote === "'" ? escaped.replaceAll("'", "\\'") : escaped}${quote}`
}

function hexEscape(character: string): string {
  const code = character.codePointAt(0)!
  const [letter, digits] = code < 0x100 ? ['x', 2] : code < 0x1_0000 ? ['u', 4] : ['U', 8]
  return `\\${letter}${code.toString(16).padStart(Number(digits), '0')}`
}

/** `json.dumps(text)`: JSON in ASCII. */
export const asciiJson = (text: string): string =>
  JSON.stringify(text).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
