/**
 * Step "chunks": the server key's digest follows from the public seed and from the digests of the summed chunks that
 * their summing parties signed, and every party confirmed it. Where the published files are at hand, they are hashed.
 */
import { concatBytes, fromHex, toHex } from "@twinlock/sdk/protocol/codec"
import type { Digest, PartyIndex } from "@twinlock/sdk/protocol/ids"
import { summingParty } from "../contributions.ts"
import { finishDigest, startDigest } from "../digest.ts"
import type { KeyLayout } from "../engine.ts"
import { decodeDigestList, serverKeyDigestOf } from "../keyRounds.ts"
import { refuse } from "./step.ts"
import type { Transcript } from "./transcript.ts"

/** Where the public files of a key lie. */
export type PublishedFiles = {
  /** The bytes in pieces. @throws AUDIT_UNREACHABLE where they are not there */
  open(digest: Digest): AsyncIterable<Uint8Array>
}

/** By chunk, as the summing parties signed them. @throws AUDIT_REFUSED, CHUNK_LIST, CodecErrorCode */
export function chunkDigestsOf(
  { attempt, broadcasts }: Transcript,
  { chunks }: KeyLayout,
): readonly Digest[] {
  const { n } = attempt.committee
  const lists = broadcasts("chunk-digests")
  const sums = new Map<PartyIndex, Digest[]>()
  for (const [party, bytes] of lists) {
    const own = chunks.filter(({ index }) => summingParty(index, n) === party).length
    sums.set(party, [...decodeDigestList(bytes, own, chunks.length).sums])
  }
  return chunks.map(({ index }) => {
    const digest = sums.get(summingParty(index, n))?.shift()
    if (digest === undefined) throw refuse(`nobody signed a digest of chunk ${index}`)
    return digest
  })
}

export function checkServerKey(transcript: Transcript, layout: KeyLayout, publicSeed: Uint8Array): string {
  const { bundle, attempt, broadcasts } = transcript
  const { activation } = bundle.signed
  const digests = chunkDigestsOf(transcript, layout)
  const serverKeyDigest = serverKeyDigestOf(attempt.committee.keyId, publicSeed, digests)
  if (activation.serverKeyDigest !== serverKeyDigest)
    throw refuse(
      `seed and chunks make server key ${serverKeyDigest}, activated is ${activation.serverKeyDigest}`,
    )
  const confirmed = toHex(concatBytes(fromHex(serverKeyDigest), fromHex(activation.publicKeyDigest)))
  for (const [party, broadcast] of broadcasts("public-key"))
    if (toHex(broadcast) !== confirmed)
      throw refuse(`party ${party} confirmed other keys than the activated ones`)
  return `${digests.length} chunks make server key ${serverKeyDigest}`
}

/** Hashes piece by piece: no chunk is held whole. @returns what was read @throws AUDIT_REFUSED, AUDIT_UNREACHABLE */
export async function checkPublished(
  transcript: Transcript,
  layout: KeyLayout,
  files: PublishedFiles,
): Promise<string> {
  const { activation } = transcript.bundle.signed
  const digests = chunkDigestsOf(transcript, layout)
  let total = 0
  for (const { index, byteLength } of layout.chunks) {
    const digest = digests[index]
    if (digest === undefined) throw refuse(`nobody signed a digest of chunk ${index}`)
    const length = await hashFile(files, digest, `chunk ${index}`)
    if (length !== byteLength)
      throw refuse(`chunk ${index} has ${length} bytes, the layout says ${byteLength}`)
    total += length
  }
  await hashFile(files, activation.publicKeyDigest, "the public key")
  await hashFile(files, activation.crsDigest, "the CRS")
  return `the published chunks (${total} bytes), public key and CRS hash to their digests`
}

async function hashFile(files: PublishedFiles, digest: Digest, name: string): Promise<number> {
  const hash = startDigest()
  let length = 0
  for await (const piece of files.open(digest)) {
    hash.update(piece)
    length += piece.length
  }
  const actual = finishDigest(hash)
  if (actual !== digest) throw refuse(`${name} hashes to ${actual}, signed is ${digest}`)
  return length
}
