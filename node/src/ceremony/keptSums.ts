/**
 * What a party keeps outside of memory for as long as the attempt lasts, all of it public: the chunks that it has summed,
 * and the lists of the CRS. A store is trusted with nothing: whoever does not get a chunk from it asks the party that signed
 * its digest.
 */
import { Reader, Writer } from "@twinlock/sdk/protocol/codec"
import { type Digest, parseDigest } from "@twinlock/sdk/protocol/ids"
import type { BlobSink } from "../blobs/blobSink.ts"
import { type Attempt, refuse } from "./attempt.ts"

export type KeptSums = {
  put(digest: Digest, bytes: Uint8Array): Promise<void>
  /** Null where there are no bytes of this digest. */
  get(digest: Digest): Promise<Uint8Array | null>
  /** Removes them all. */
  clear(): Promise<void>
}

/** Request and answer between parties: the digest of a chunk that the other one has summed, and its bytes. */
export const SUM_PROTOCOL = { id: "/twinlock/ceremony/sum/1", maxBytes: 128 } as const

const VERSION = 1

export const encodeSumRequest = ({ committee, attempt }: Attempt, digest: Digest): Uint8Array =>
  new Writer().uint(1, VERSION).hex(committee.keyId).uint(4, attempt).hex(digest).done()

/** version ‖ key id ‖ attempt, read by the router already. */
const PREFIX_BYTES = 1 + 32 + 4

/** @throws CodecErrorCode */
function decodeSumRequest(payload: Uint8Array): Digest {
  const reader = new Reader(payload.subarray(PREFIX_BYTES))
  const digest = parseDigest(reader.hex(32))
  reader.end()
  return digest
}

/** Keeps what it publishes. */
export const keepingSink = (sums: Pick<KeptSums, "put">, sink: BlobSink): BlobSink => ({
  async put(digest, bytes, signal) {
    await sums.put(digest, bytes)
    await sink.put(digest, bytes, signal)
  },
})

/**
 * Answers requests of peers. A store from which a peer does not get a chunk seems to have lost it, and the executors need it
 * from there: it is published again, once.
 */
export function serveSums(
  sums: Pick<KeptSums, "get">,
  { sink, signal }: { readonly sink: BlobSink; readonly signal: AbortSignal },
): (payload: Uint8Array) => Promise<Uint8Array> {
  const again = new Set<Digest>()
  return async (payload) => {
    const digest = decodeSumRequest(payload)
    const bytes = await sums.get(digest)
    if (bytes === null) throw refuse("CEREMONY_FOREIGN", `no chunk of digest ${digest} was summed here`)
    if (!again.has(digest)) void sink.put(digest, bytes, signal).catch(() => again.delete(digest))
    again.add(digest)
    return bytes
  }
}
