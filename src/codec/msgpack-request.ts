/** Requests in msgpack. */
import type { RequestDecoder } from './codec.ts'
import { decodeReadRequest } from './decode-request.ts'
import { MsgpackReader } from './msgpack-reader.ts'

export const msgpackRequest: RequestDecoder = {
  contentTypes: ['application/msgpack', 'application/x-msgpack', 'application/vnd.msgpack'],
  decodeRead: (bytes) => decodeReadRequest(new MsgpackReader(bytes)),
}
