/** What a BatchWriteItem left out for now, by entity_id: it must be asked again, or it is lost. */
import { utf8Decoder } from '../../base/utf8.ts'

type Text = { readonly S?: string }
type WriteRequest = {
  readonly PutRequest?: { readonly Item?: { readonly entity_id?: Text } }
  readonly DeleteRequest?: { readonly Key?: { readonly entity_id?: Text } }
}
type BulkReply = { readonly UnprocessedItems?: Readonly<Record<string, readonly WriteRequest[]>> }

export function unprocessedWrites(reply: Uint8Array): string[] {
  const { UnprocessedItems: tables = {} } = JSON.parse(utf8Decoder.decode(reply)) as BulkReply // the protocol's own shape
  return Object.values(tables).flatMap((requests) =>
    requests.flatMap(({ PutRequest: put, DeleteRequest: gone }) => {
      const id = put?.Item?.entity_id?.S ?? gone?.Key?.entity_id?.S
      return id === undefined ? [] : [id]
    }),
  )
}
