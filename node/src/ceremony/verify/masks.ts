/**
 * Step "masks": the public key consists of the masks that follow from the public seed and of the summed chunk. Masks
 * that somebody had chosen could hide a trapdoor.
 */
import { bytesDigest } from "../digest.ts"
import { chunkDigestsOf } from "./chunks.ts"
import type { KeygenAudit } from "./keygenAudit.ts"
import { refuse } from "./step.ts"
import type { Transcript } from "./transcript.ts"

export function checkPublicKey(transcript: Transcript, keygen: KeygenAudit, publicSeed: Uint8Array): string {
  const { publicKeyChunk, signed } = transcript.bundle
  const layout = keygen.keyLayout()
  const place = layout.chunks.find(({ part }) => part === keygen.publicKeyPart)
  if (place === undefined) throw new Error("the layout has no public key chunk")
  const digest = chunkDigestsOf(transcript, layout)[place.index]
  if (publicKeyChunk.length !== place.byteLength || bytesDigest(publicKeyChunk) !== digest)
    throw refuse(`the chunk of the public key does not hash to ${digest}`)
  const publicKey = keygen.assemblePublicKey(publicSeed, publicKeyChunk)
  const publicKeyDigest = bytesDigest(publicKey)
  if (publicKeyDigest !== signed.activation.publicKeyDigest)
    throw refuse(
      `seed and chunk make public key ${publicKeyDigest}, activated is ${signed.activation.publicKeyDigest}`,
    )
  return keygen.checkMasks(publicSeed, publicKey, publicKeyChunk)
}
