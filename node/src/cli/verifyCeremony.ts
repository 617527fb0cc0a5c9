/** `twinlock verify-ceremony FILE`: judges a transcript bundle offline. */
import { toHex } from "@twinlock/sdk/protocol/codec"
import { auditCrs } from "../ceremony/auditCrs.ts"
import { verifyBundle } from "../ceremony/verifyBundle.ts"

/** @returns the facts of a bundle that holds. @throws BUNDLE_*, CODEC_* */
export async function verifyCeremony(file: Uint8Array): Promise<Readonly<Record<string, unknown>>> {
  const bundle = verifyBundle(file)
  await auditCrs(bundle)
  const { keyId, proposal, records, signed } = bundle
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
