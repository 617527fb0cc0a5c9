/**
 * The contracts' verdict on an input: everything that it carries is stored in a fresh CollateralStore and the quote
 * verified, all inside one simulated block at the input's time.
 */
import { TCB_STATUSES } from "@twinlock/sdk/attestation/tcbStatus"
import { toHex, utf8ToBytes } from "@twinlock/sdk/protocol/codec"
import type { AttestationInput } from "./corpus/case.ts"
import {
  bytesOf,
  type ContractEvidence,
  cutEvidence,
  NOT_SUBMITTABLE,
  pemBlocks,
  scalarsOf,
} from "./cutEvidence.ts"
import type { Call, SimulatedChain } from "./simulatedChain.ts"
import type { Verdict } from "./verdict.ts"

/** Calls that store what an input carries, in the order of a first set-up; null where it has no calldata. */
export function ingestionOf(input: AttestationInput, cut: ContractEvidence): readonly Call[] | null {
  const { collateral } = input
  const [signer, qeSigner] = [collateral.tcb_info_issuer_chain, collateral.qe_identity_issuer_chain].map(
    (chain) => pemBlocks(chain)[0],
  )
  const [rootCrl, pckCrl] = [bytesOf(collateral.root_ca_crl), bytesOf(collateral.pck_crl)]
  const tcbSignature = scalarsOf(collateral.tcb_info_signature)
  const qeSignature = scalarsOf(collateral.qe_identity_signature)
  if (!signer || !qeSigner || !rootCrl || !pckCrl || !tcbSignature || !qeSignature) return null
  const store = (method: string, ...args: readonly unknown[]): Call => ({
    to: "collateralStore",
    method,
    args,
  })
  return [
    store("storeRootCrl", rootCrl),
    store("storeIntermediateCa", cut.authority),
    store("storeCrl", cut.evidence.caId, pckCrl),
    store("storeTcbSigner", signer),
    ...(toHex(qeSigner) === toHex(signer) ? [] : [store("storeTcbSigner", qeSigner)]),
    store("storeTcbInfo", toHex(utf8ToBytes(collateral.tcb_info)), ...tcbSignature),
    store("storeQeIdentity", toHex(utf8ToBytes(collateral.qe_identity)), ...qeSignature),
  ]
}

/** @throws Error where the node fails */
export async function onChainVerdict(chain: SimulatedChain, input: AttestationInput): Promise<Verdict> {
  const cut = cutEvidence(input)
  const ingestion = cut ? ingestionOf(input, cut) : null
  if (!cut || !ingestion) return { verdict: "refused", reason: NOT_SUBMITTABLE }
  const { tcb, qe } = input.floors
  const verification: Call = { to: "quoteVerifier", method: "verify", args: [cut.evidence, tcb, qe] }
  const outcome = await chain.simulate([{ time: input.time, calls: [...ingestion, verification] }])
  if ("error" in outcome) return { verdict: "refused", reason: outcome.error }
  return accepted((outcome.returned.toObject(true) as { readonly appraisal: Appraisal }).appraisal)
}

/** The members of `Appraisal` that both verifiers state. */
type Appraisal = {
  readonly status: bigint
  readonly tcbEvaluation: bigint
  readonly qeEvaluation: bigint
  readonly expiresAt: bigint
  readonly ppid: string
  readonly piid: string
  readonly imageId: string
  readonly composeHash: string
  readonly platform: { readonly fmspc: string }
}

function accepted(appraisal: Appraisal): Verdict {
  const status = TCB_STATUSES[Number(appraisal.status)]
  if (!status) throw new Error(`the contract returned TCB status ${appraisal.status}`)
  return {
    verdict: "accepted",
    status,
    facts: {
      ppid: appraisal.ppid,
      piid: appraisal.piid,
      fmspc: appraisal.platform.fmspc,
      imageId: appraisal.imageId,
      composeHash: appraisal.composeHash,
      evaluationNumber: Number(appraisal.tcbEvaluation),
      qeEvaluationNumber: Number(appraisal.qeEvaluation),
      expiresAt: Number(appraisal.expiresAt),
    },
  }
}
