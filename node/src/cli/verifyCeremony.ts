/** `twinlock verify-ceremony FILE`: judges a transcript bundle offline. */
import { toHex } from "@twinlock/sdk/protocol/codec"
import { verifyBundle } from "../ceremony/verifyBundle.ts"

/** @returns the facts of a bundle that holds. @throws BUNDLE_*, CODEC_* */
export function verifyCeremony(bundle: Uint8Array): Readonly<Record<string, unknown>> {
  const { keyId, proposal, records, signed } = verifyBundle(bundle)
  const { activation, groupSignature } = signed
  return {
    keyId,
    epoch: activation.epoch,
    parties: proposal.parties,
    executors: proposal.executors,
    rounds: records.length,
    publicKeyDigest: activation.publicKeyDigest,
    serverKeyDigest: activation.serverKeyDigest,
    crsDigest: activation.crsDigest,
    transcriptDigest: activation.transcriptDigest,
    groupX: toHex(Buffer.from(activation.groupX.toString(16).padStart(64, "0"), "hex")),
    groupSignatureNonce: groupSignature.r,
  }
}
