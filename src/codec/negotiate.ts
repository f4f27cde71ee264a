/** Which format a request is in and its reply is wanted in, by Content-Type and Accept. */
import { Fault } from '../base/fault.ts'
import { binaryReply } from './binary-reply.ts'
import type { ReplyEncoder, RequestDecoder } from './codec.ts'
import { jsonReply } from './json-reply.ts'
import { jsonRequest } from './json-request.ts'
import { msgpackReply } from './msgpack-reply.ts'
import { msgpackRequest } from './msgpack-request.ts'

/** The first is what a request without the header gets. */
const DECODERS: readonly RequestDecoder[] = [jsonRequest, msgpackRequest]
const ENCODERS: readonly ReplyEncoder[] = [jsonReply, msgpackReply, binaryReply]

const byType = <T extends { readonly contentTypes: readonly string[] }>(
  formats: readonly T[],
): ReadonlyMap<string, T> =>
  new Map(formats.flatMap((format) => format.contentTypes.map((type) => [type, format] as const)))

const decoders = byType(DECODERS)
const encoders = byType(ENCODERS)

/** One that names neither costs more to read than it helps: ranges past this are not looked at. */
const RANGES_MAX = 32

/** Throws `unsupported_type` for another content type, or another charset than UTF-8. */
export function decoderFor(contentType: string | null): RequestDecoder {
  if (contentType === null) return jsonRequest
  const exact = decoders.get(contentType)
  if (exact !== undefined) return exact
  const [type, ...parameters] = contentType.toLowerCase().split(';')
  const decoder = decoders.get(type!.trim())
  if (decoder === undefined || !parameters.every(isUtf8)) {
    throw unsupported('content-type', contentType, DECODERS)
  }
  return decoder
}

/** The wanted format; JSON where any will do. Throws `unsupported_type` where none will. */
export function encoderFor(accept: string | null): ReplyEncoder {
  if (accept === null || accept === '') return jsonReply
  const exact = encoders.get(accept)
  if (exact !== undefined) return exact
  const ranges = parseAccept(accept)
  let best: ReplyEncoder | undefined
  let bestRange = REFUSED
  for (const encoder of ENCODERS) {
    const range = rangeFor(encoder, ranges)
    if (!isBetter(range, bestRange)) continue
    best = encoder
    bestRange = range
  }
  if (best === undefined) throw unsupported('accept', accept, ENCODERS)
  return best
}

/** One of the media ranges that an Accept header lists. */
type Range = {
  readonly type: string
  readonly quality: number
  /** 2 names a type, 1 a group of types, 0 is any. */
  readonly exactness: number
  readonly place: number
}

const REFUSED: Range = { type: '', quality: 0, exactness: 0, place: 0 }

function parseAccept(accept: string): Range[] {
  const parts = accept.toLowerCase().split(',', RANGES_MAX)
  return parts.map((part, place) => {
    const [type, ...parameters] = part.split(';').map((piece) => piece.trim())
    const exactness = type === '*/*' ? 0 : type!.endsWith('/*') ? 1 : 2
    return { type: type!, quality: qualityOf(parameters), exactness, place }
  })
}

function qualityOf(parameters: readonly string[]): number {
  const quality = parameters.find((parameter) => parameter.startsWith('q='))
  if (quality === undefined) return 1
  const given = Number(quality.slice(2))
  return given >= 0 && given <= 1 ? given : 0
}

/** The most exact range that speaks of the format: a type named outweighs `*`, even to refuse it. */
function rangeFor(encoder: ReplyEncoder, ranges: readonly Range[]): Range {
  let exactest: Range | undefined
  for (const range of ranges) {
    if (!encoder.contentTypes.some((type) => matches(range, type))) continue
    if (exactest === undefined || range.exactness > exactest.exactness) exactest = range
  }
  return exactest ?? REFUSED
}

function matches({ type, exactness }: Range, contentType: string): boolean {
  if (exactness === 2) return type === contentType
  return exactness === 0 || contentType.startsWith(type.slice(0, -1))
}

/** By quality, then what was named before what was meant by a `*`, then what was named first. */
function isBetter(range: Range, than: Range): boolean {
  if (range.quality !== than.quality) return range.quality > than.quality
  if (range.quality === 0) return false
  if (range.exactness !== than.exactness) return range.exactness > than.exactness
  return range.place < than.place
}

const isUtf8 = (parameter: string): boolean => {
  const [name, value] = parameter.split('=')
  return name!.trim() !== 'charset' || /^"?utf-?8"?$/.test(value?.trim() ?? '')
}

function unsupported(
  header: string,
  given: string,
  formats: readonly { readonly contentTypes: readonly string[] }[],
): Fault {
  const shown = given.length <= 64 ? given : `${given.slice(0, 64)}…`
  return new Fault('unsupported_type', `${header} ${JSON.stringify(shown)} is not supported`, {
    where: header,
    allowed: formats.map(({ contentTypes }) => contentTypes[0]).join(', '),
  })
}
