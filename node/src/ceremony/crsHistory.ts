/**
 * How the CRS of a key came about, as the transcript bundle keeps it (docs/crs.md): one link per party and the final state
 * prove all updates, without the states between them. Public data.
 */
import { fromHex, type Reader, toHex, type Writer } from "@twinlock/sdk/protocol/codec"
import { MAX_PARTIES, partyIndexes } from "@twinlock/sdk/protocol/committee"
import { type Digest, type KeyId, parseDigest } from "@twinlock/sdk/protocol/ids"
import type { CrsAuditor } from "./engine.ts"

export type CrsHistory = {
  /** By party index − 1. */
  readonly links: readonly Uint8Array[]
  /** 3,555,328 bytes at 2048 bits. */
  readonly state: Uint8Array
}

/** A link is 304 bytes at every size. */
const MAX_LINK_BYTES = 512
const MAX_STATE_BYTES = 4 * 1024 * 1024

export const writeCrsHistory = (writer: Writer, { links, state }: CrsHistory): Writer =>
  writer.list(links, (inner, link) => inner.bytes(link)).bytes(state)

/** @throws CodecErrorCode */
export const readCrsHistory = (reader: Reader): CrsHistory => ({
  links: reader.list(MAX_PARTIES, () => reader.bytes(MAX_LINK_BYTES)),
  state: reader.bytes(MAX_STATE_BYTES),
})

/** The CRS round of the last party: its digest salts the file. */
export const lastCrsRound = (n: number): string => `crs-${n}`

/**
 * Digest of the CRS file that this history makes, all n parties having contributed in their order.
 * @param salt agreed digest of the last CRS round @throws CRS_*
 */
export async function crsDigestOf(
  { keyId, n }: { readonly keyId: KeyId; readonly n: number },
  salt: Digest,
  { links, state }: CrsHistory,
  auditor: CrsAuditor,
): Promise<Digest> {
  const parties = partyIndexes({ n })
  return parseDigest(toHex(await auditor.crsAudit(fromHex(keyId), parties, links, state, fromHex(salt))))
}
