/**
 * Step "activation": all parties signed the activation of exactly this key after exactly these rounds, and so did the
 * group with the key that it made, where the file has its signature: a party that goes to the chain alone can keep it back.
 */
import { signerOf } from "@twinlock/sdk/protocol/committee"
import { hashKeyActivation, typedDigest } from "@twinlock/sdk/protocol/eip712"
import { parsePartyIndex } from "@twinlock/sdk/protocol/ids"
import { recoverSigner, type SignerRecovery, verifySignature } from "@twinlock/sdk/protocol/signature"
import { verifyGroupSignature } from "@twinlock/sdk/threshold/frost"
import { transcriptDigestOf } from "../activationRounds.ts"
import { refuse } from "./step.ts"
import type { Transcript } from "./transcript.ts"

export function checkActivation(
  { bundle, attempt, round }: Transcript,
  recover: SignerRecovery = recoverSigner,
): string {
  const { committee } = attempt
  const { activation, signatures, groupSignature } = bundle.signed
  // What the headers of the last agreement stand on: the digest of everything before the signatures.
  const before = round("activation").headers[0]?.header.previous
  if (before === undefined || activation.transcriptDigest !== transcriptDigestOf(attempt, before))
    throw refuse("the activation names another transcript")
  if (activation.groupV !== 27 && activation.groupV !== 28)
    throw refuse(`the parity of a group key is 27 or 28, not ${activation.groupV}`)
  const digest = typedDigest(bundle.signing, hashKeyActivation(activation))
  if (signatures.length !== committee.n)
    throw refuse(`want the signatures of all ${committee.n} parties, got ${signatures.length}`)
  signatures.forEach((signature, at) => {
    verifySignature(digest, signature, signerOf(committee, parsePartyIndex(at + 1, committee.n)), recover)
  })
  if (groupSignature === null)
    return `signed by all ${committee.n} parties, for chain ${bundle.signing.chainId}; without the group's signature, which only the contract saw`
  const key = { groupX: activation.groupX, groupV: activation.groupV } as const
  if (!verifyGroupSignature(key, digest, groupSignature)) throw refuse("the group signature does not verify")
  return `signed by all ${committee.n} parties and by the group, for chain ${bundle.signing.chainId}`
}
