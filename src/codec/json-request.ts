/** Requests in JSON. */
import type { RequestDecoder } from './codec.ts'
import { decodeReadRequest } from './decode-request.ts'
import { JsonReader } from './json-reader.ts'

export const jsonRequest: RequestDecoder = {
  contentTypes: ['application/json'],
  decodeRead: (bytes) => decodeReadRequest(new JsonReader(bytes)),
}
