/**
 * Evidence of standing inside a ceremony's transcript: a fresh quote over the node's registration and a recent agreed
 * block, with the collateral that judges it, so that whoever reads the transcript later finds which enclave held which seat
 * and can judge it as of then.
 */
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import type { Address } from "@twinlock/sdk/protocol/ids"
import { decodeChannelEvidence, encodeChannelEvidence } from "../attestation/channelEvidence.ts"
import {
  decodeStandingProof,
  encodeStandingProof,
  type StandingBinding,
  standingReportData,
} from "../ceremony/standingProof.ts"
import type { BlockRef, NodeRecord } from "../chain/chainView.ts"
import type { NodeContext } from "../nodeContext.ts"

export type StandingEvidenceErrorCode =
  /** the signer is not registered at the agreed head. */
  | "EVIDENCE_UNREGISTERED"
  /** the evidence names another registration than the chain has. */
  | "EVIDENCE_OTHER_REGISTRATION"
  /** the quote is over a block that is too old, or not final yet: made for another occasion. */
  | "EVIDENCE_STALE"

export type StandingEvidence = {
  evidence(): Promise<Uint8Array>
  /** @throws EVIDENCE_*, and the codes of a quote's appraisal */
  checkEvidence(signer: Address, evidence: Uint8Array): Promise<void>
}

/** Blocks between the challenge in a quote and the agreed head of whoever reads it. */
const MAX_AGE = 7_200n
/** A peer's agreed head may be a little newer. */
const MAX_AHEAD = 64n
/** The same in chain time, which judges the collateral. */
const MAX_AGE_SECONDS = 86_400
const MAX_AHEAD_SECONDS = 3_600
/** The own policy has judged the quote; the collateral that comes along must only be genuine and current. */
const NO_FLOORS = { tcb: 0, qe: 0 }
const refuse = (code: StandingEvidenceErrorCode, message: string) => new ProtocolError({ code, message })

export function createStandingEvidence(
  context: Pick<NodeContext, "chain" | "config" | "identity" | "quoter" | "peerPolicy" | "verifier">,
): StandingEvidence {
  const { chain, config, identity, quoter, peerPolicy, verifier } = context
  const domain = { chainId: BigInt(config.chain.id) }

  const bindingOf = ({ operator, peerIdHash, configHash }: NodeRecord, block: BlockRef): StandingBinding => ({
    ...{ operator, peerIdHash, configHash },
    nodeRegistry: config.contracts.nodeRegistry,
    challengeBlock: block.number,
    challengeBlockHash: block.hash,
  })

  async function recordOf(signer: Address, at: BlockRef): Promise<NodeRecord> {
    const record = await chain.node(signer, at)
    if (record === null) throw refuse("EVIDENCE_UNREGISTERED", `${signer} is not registered`)
    return record
  }

  return {
    async evidence() {
      const head = await chain.head()
      const record = await recordOf(identity.signer, head)
      const binding = bindingOf(record, head)
      const reportData = standingReportData(binding, identity.signer, domain)
      const evidence = encodeChannelEvidence(await quoter.quote(reportData))
      const { collateral } = await peerPolicy.appraise(evidence, reportData, record)
      return encodeStandingProof({ ...binding, time: Number(head.timestamp), evidence, collateral })
    },
    async checkEvidence(signer, bytes) {
      const proof = decodeStandingProof(bytes)
      const { challengeBlock: number, time } = proof
      const head = await chain.head()
      const now = Number(head.timestamp)
      // The block's number and hash are inside the quoted report data: an older quote cannot claim a newer block.
      if (number > head.number + MAX_AHEAD || number + MAX_AGE < head.number)
        throw refuse(
          "EVIDENCE_STALE",
          `the quote of ${signer} is over block ${number}, the agreed head is ${head.number}`,
        )
      if (time > now + MAX_AHEAD_SECONDS || time + MAX_AGE_SECONDS < now)
        throw refuse("EVIDENCE_STALE", `the quote of ${signer} is of time ${time}, the agreed head of ${now}`)
      const record = await recordOf(signer, head)
      const block = { number, hash: proof.challengeBlockHash, timestamp: BigInt(time) }
      const wanted = standingReportData(bindingOf(record, block), signer, domain)
      if (Buffer.compare(wanted, standingReportData(proof, signer, domain)) !== 0)
        throw refuse("EVIDENCE_OTHER_REGISTRATION", `the evidence of ${signer} names another registration`)
      await peerPolicy.appraise(proof.evidence, wanted, record)
      const { quote } = decodeChannelEvidence(proof.evidence)
      verifier.verify(quote, { collateral: proof.collateral, time, floors: NO_FLOORS })
    },
  }
}
