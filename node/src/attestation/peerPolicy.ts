/**
 * Judges a peer's channel quote (protocol §2): it must verify under the network's root, satisfy the same policy as
 * the registry, come from the machine that the peer registered with, and carry exactly the channel's report data. What
 * the quote proves by itself is checked before the chain or a service is asked.
 */
import type { CollateralBundle } from "@twinlock/sdk/attestation/collateralBundle"
import { composeHashOfConfigId } from "@twinlock/sdk/attestation/composeHash"
import { attestationError } from "@twinlock/sdk/attestation/errors"
import {
  type AllowListEntry,
  type AttestationPolicy,
  appraiseEventLog,
  appraiseQuote,
  imageIdOf,
} from "@twinlock/sdk/attestation/policy"
import { parseQuote } from "@twinlock/sdk/attestation/quote"
import { checkReportData } from "@twinlock/sdk/attestation/reportData"
import type { QuoteVerifier, VerifiedQuote } from "@twinlock/sdk/attestation/underRoot"
import type { NodeRecord } from "../chain/chainView.ts"
import { judgeUnderBestSets } from "./bestSets.ts"
import { decodeChannelEvidence } from "./channelEvidence.ts"
import type { CollateralSource } from "./collateralSource.ts"
import { originOf } from "./quoteOrigin.ts"

/** What the registry demands at the agreed head. */
export type PeerRequirements = {
  readonly policy: AttestationPolicy
  /** Smallest accepted evaluation numbers. */
  readonly floors: { readonly tcb: number; readonly qe: number }
  /** Chain time, unix seconds. */
  readonly time: number
}

/** Names an allow-list entry: what `NodeRegistry.entryFor` takes. */
export type Measurement = Pick<AllowListEntry, "role" | "imageId" | "composeHash">

export type PeerPolicyDeps = {
  readonly verifier: QuoteVerifier
  readonly collateral: CollateralSource
  /** Read anew for every appraisal: a removed entry counts at once. The measurement is not verified yet. */
  readonly requirements: (measurement: Measurement) => Promise<PeerRequirements>
}

export type AppraisedPeer = {
  readonly quote: VerifiedQuote
  readonly entry: AllowListEntry
  /** What the quote was judged with. */
  readonly collateral: CollateralBundle
}

export type PeerPolicy = {
  /** @throws CHANNEL_EVIDENCE_MALFORMED, COLLATERAL_*, an AttestationErrorCode per failed check */
  appraise(evidence: Uint8Array, reportData: Uint8Array, record: NodeRecord): Promise<AppraisedPeer>
}

export const createPeerPolicy = ({ verifier, collateral, requirements }: PeerPolicyDeps): PeerPolicy => ({
  async appraise(evidence, reportData, record) {
    const { quote: bytes, eventLog, configDocument } = decodeChannelEvidence(evidence)
    const quote = parseQuote(bytes)
    const { report } = quote
    const origin = originOf(quote, verifier.rootId)
    const { ppid } = origin.leaf.sgx
    if (ppid !== record.ppid)
      throw attestationError(
        "POLICY_PLATFORM",
        `the quote is of platform ${ppid}, registered is ${record.ppid}`,
      )
    checkReportData(report.reportData, reportData)
    const { policy, floors, time } = await requirements({
      role: record.role,
      imageId: imageIdOf(report),
      composeHash: composeHashOfConfigId(report.mrConfigId, configDocument),
    })
    const { verified, collateral: judged } = await judgeUnderBestSets(
      { bytes, quote, origin },
      { time, floors },
      { verifier, collateral },
    )
    const entry = appraiseQuote(verified, policy, { role: record.role, reportData, configDocument })
    appraiseEventLog(verified, entry, eventLog, configDocument)
    return { quote: verified, entry, collateral: judged.bundle }
  },
})
