/**
 * Evidence of standing inside a ceremony's transcript: a fresh quote over the node's registration and a recent agreed
 * block, with the collateral that judges it, so that whoever reads the transcript later finds which enclave held which seat
 * and can judge it as of then.
 */
import type { Address } from "@twinlock/sdk/protocol/ids"
import { decodeChannelEvidence, encodeChannelEvidence } from "../attestation/channelEvidence.ts"
import { pause } from "../ceremony/outbox.ts"
import {
  decodeStandingProof,
  encodeStandingProof,
  type StandingBinding,
  standingReportData,
} from "../ceremony/standingProof.ts"
import type { StandingDeps } from "../ceremony/standingRound.ts"
import {
  checkMachine,
  checkRegistration,
  checkStanding,
  MAX_AGE_SECONDS,
  refuseEvidence,
} from "../ceremony/standingRule.ts"
import type { BlockRef } from "../chain/chainView.ts"
import type { NodeContext } from "../nodeContext.ts"

export type StandingEvidence = StandingDeps

/** How long the own head may take to reach a peer's block; a peer waits for this node's next message twice as long. */
const PATIENCE_MS = 60_000
const POLL_MS = 1_000
/** The own policy has judged the quote with its own floors; the collateral that comes along must be as good. */
const NO_FLOORS = { tcb: 0, qe: 0 }

export function createStandingEvidence(
  context: Pick<
    NodeContext,
    "chain" | "clock" | "config" | "identity" | "peerPolicy" | "quoter" | "scheduler" | "verifier"
  >,
): StandingEvidence {
  const { chain, clock, config, identity, quoter, peerPolicy, scheduler, verifier } = context
  const { nodeRegistry } = config.contracts
  const domain = { chainId: BigInt(config.chain.id) }

  /** Agreed heads of honest nodes differ: a block that is not known yet may be known soon. @throws EVIDENCE_AHEAD */
  async function headFrom(number: bigint, signer: Address, signal: AbortSignal): Promise<BlockRef> {
    const end = clock.now() + PATIENCE_MS
    for (;;) {
      const head = await chain.head()
      if (head.number >= number) return head
      if (signal.aborted || clock.now() >= end)
        throw refuseEvidence(
          "EVIDENCE_AHEAD",
          `the quote of ${signer} is over block ${number}, the agreed head is still ${head.number}`,
        )
      await pause(POLL_MS, { scheduler, signal })
    }
  }

  return {
    async evidence() {
      const head = await chain.head()
      const record = await chain.node(identity.signer, head)
      if (record === null)
        throw refuseEvidence("EVIDENCE_UNREGISTERED", `${identity.signer} is not registered`)
      const { operator, peerIdHash, configHash } = record
      const binding: StandingBinding = {
        ...{ nodeRegistry, operator, peerIdHash, configHash },
        challengeBlock: head.number,
        challengeBlockHash: head.hash,
      }
      const reportData = standingReportData(binding, identity.signer, domain)
      const evidence = encodeChannelEvidence(await quoter.quote(reportData))
      const { collateral } = await peerPolicy.appraise(evidence, reportData, record)
      return encodeStandingProof({ ...binding, time: Number(head.timestamp), evidence, collateral })
    },
    async checkEvidence(signer, bytes, signal) {
      const proof = decodeStandingProof(bytes)
      const head = await headFrom(proof.challengeBlock, signer, signal)
      if (proof.time + MAX_AGE_SECONDS < Number(head.timestamp))
        throw refuseEvidence(
          "EVIDENCE_STALE",
          `the quote of ${signer} is of time ${proof.time}, the agreed head of ${head.timestamp}`,
        )
      const record = await checkStanding(proof, signer, nodeRegistry, chain)
      checkRegistration(proof, signer, await chain.node(signer, head), head)
      await peerPolicy.appraise(proof.evidence, standingReportData(proof, signer, domain), record)
      const { quote } = decodeChannelEvidence(proof.evidence)
      const { collateral, time } = proof
      checkMachine(verifier.verify(quote, { collateral, time, floors: NO_FLOORS }))
    },
  }
}
