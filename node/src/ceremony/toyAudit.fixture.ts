/** What a verifier knows of the toy engine, and evidence of standing that is a sentence. */
import { concatBytes, fromHex, toHex } from "@twinlock/sdk/protocol/codec"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import type { PartyIndex } from "@twinlock/sdk/protocol/ids"
import { recoverSigner, type SignerRecovery } from "@twinlock/sdk/protocol/signature"
import type { KeyLayout } from "./engine.ts"
import { PROPOSAL } from "./party.fixture.ts"
import { number, sha } from "./toyArithmetic.fixture.ts"
import { TOY_ROUNDS, toyEngine } from "./toyEngine.fixture.ts"
import type { AuditOptions } from "./verify/auditCeremony.ts"
import type { KeygenAudit } from "./verify/keygenAudit.ts"
import { refuse } from "./verify/step.ts"
import type { Transcript } from "./verify/transcript.ts"

/** What the parties opened in a round, each as it had committed to it. @param which of its commitments */
function opened(
  { attempt, broadcasts }: Transcript,
  round: string,
  which: number,
): ReadonlyMap<PartyIndex, Uint8Array> {
  const commitments = broadcasts("seed-commit")
  const values = broadcasts(round)
  for (const [party, value] of values) {
    const committed = commitments.get(party)?.subarray(32 * which, 32 * (which + 1)) ?? new Uint8Array()
    if (toHex(committed) !== toHex(sha(fromHex(attempt.committee.keyId), number(party), value)))
      throw refuse(`in round ${round} party ${party} opened something else than it committed to`)
  }
  return values
}

export const toyAudit = (layout: KeyLayout): KeygenAudit => ({
  parametersHash: PROPOSAL.parametersHash,
  rounds: () => TOY_ROUNDS,
  publicSeed(transcript) {
    return sha(...opened(transcript, "seed-open", 0).values())
  },
  checkPoints(transcript) {
    opened(transcript, "row-coin", 1)
    const hellos = [...transcript.broadcasts("hello").values()]
    const confirmed = toHex(sha(...hellos, this.publicSeed(transcript)))
    for (const [party, tag] of transcript.broadcasts("confirm"))
      if (toHex(tag) !== confirmed) throw refuse(`party ${party} confirmed another seed`)
    return "all parties confirmed the seed, and the coin opens"
  },
  crs: toyEngine(layout),
  keyLayout: () => layout,
  publicKeyPart: "cpk",
  assemblePublicKey: (seed, chunk) => concatBytes(seed, chunk),
  checkMasks(seed, publicKey) {
    if (toHex(publicKey.slice(0, seed.length)) !== toHex(seed)) throw refuse("the key has another seed")
    return "masks follow from the seed"
  },
})

const TIME = Number(PROPOSAL.deadline) - 3600

export const toyStanding: AuditOptions["standing"] = (_, signer, evidence) => {
  if (new TextDecoder().decode(evidence) !== `quote of ${signer}`)
    throw new ProtocolError({ code: "QUOTE_SIGNATURE", message: "test quote of somebody else" })
  const code = { image: signer, composeHash: signer, provider: signer }
  return { status: "UpToDate", time: TIME, nodeRegistry: PROPOSAL.host.gateway, code }
}

/** Remembers what it has recovered: for many transcripts that differ in one byte. */
export function rememberingRecovery(recover: SignerRecovery = recoverSigner): SignerRecovery {
  const known = new Map<string, ReturnType<SignerRecovery>>()
  return (digest, signature) => {
    const key = `${digest}${Buffer.from(signature).toString("hex")}`
    const signer = known.get(key) ?? recover(digest, signature)
    known.set(key, signer)
    return signer
  }
}
