/** What the process of a CRS update reads from its standard input. Public data. */
import { Reader, Writer } from "@twinlock/sdk/protocol/codec"
import type { CrsContext } from "../threshold/crsCeremony.ts"

/** A state is 3,555,328 bytes (docs/crs.md). */
const MAX_STATE_BYTES = 4 * 1024 * 1024
const CEREMONY_ID_BYTES = 32

/** @param previous verified state, null for the generators */
export const encodeUpdateRequest = (
  previous: Uint8Array | null,
  { ceremonyId, round, party }: CrsContext,
): Uint8Array =>
  new Writer()
    .raw(ceremonyId)
    .uint(4, round)
    .uint(4, party)
    .bytes(previous ?? new Uint8Array())
    .done()

export type UpdateRequest = { readonly previous: Uint8Array | null; readonly context: CrsContext }

/** @throws CodecErrorCode */
export function decodeUpdateRequest(bytes: Uint8Array): UpdateRequest {
  const reader = new Reader(bytes)
  const context = {
    ceremonyId: reader.take(CEREMONY_ID_BYTES),
    round: reader.uint(4),
    party: reader.uint(4),
  }
  const previous = reader.bytes(MAX_STATE_BYTES)
  reader.end()
  return { previous: previous.length === 0 ? null : previous, context }
}
