/** Bodies under which certificates travel to a coordinator (protocol §7). Pure. */
import type { Certificate, PolicyEvidence, QuoteEvidence } from "@twinlock/sdk/protocol/certificate"
import { needsEvidence } from "@twinlock/sdk/protocol/certificate"
import { signersBitmap } from "@twinlock/sdk/protocol/committee"
import {
  batchCertificateToBody,
  certifiedToBody,
  resultToBody,
  type SubmissionBody,
} from "@twinlock/sdk/protocol/http"
import type { PartyIndex } from "@twinlock/sdk/protocol/ids"
import type { KeySeat } from "../seat.ts"
import { type CertifiedBatch, type EndorsedBatch, type GroupCertified, type Leaf, placeOf } from "./batch.ts"
import type { OpenResult } from "./openResult.ts"

/** Endorsements and quotes of a batch by parties that stand. */
export type Support = {
  readonly endorsed: EndorsedBatch
  readonly quotes: ReadonlyMap<PartyIndex, QuoteEvidence>
  readonly live: ReadonlySet<PartyIndex>
}

/** The certificate of one result of a batch. */
export const groupCertificate = (
  { key }: KeySeat,
  { batch, parties, signature }: GroupCertified,
  { requestId }: Pick<Leaf, "requestId">,
): Certificate => ({
  keyId: key.keyId,
  epoch: key.epoch,
  signers: signersBitmap(parties),
  ...placeOf(batch, requestId),
  ...signature,
})

/** What the results without further demands need: one body for a batch, one for each where rule E stands in. */
export function plainBodies(
  seat: KeySeat,
  certified: CertifiedBatch,
  results: readonly OpenResult[],
): readonly SubmissionBody[] {
  const { keyId, epoch } = seat.key
  const plain = results.filter(({ policy }) => !needsEvidence(policy))
  if (certified.kind === "endorsed") {
    const { batch, parties, signatures } = certified
    return plain.map(({ result, requestId }) =>
      certifiedToBody({
        kind: "endorsed",
        result,
        certificate: {
          ...{ keyId, epoch, signatures },
          signers: signersBitmap(parties),
          ...placeOf(batch, requestId),
        },
      }),
    )
  }
  const { batch, parties, signature } = certified
  if (plain.length < 2)
    return plain.map((open) =>
      certifiedToBody({
        kind: "group",
        result: open.result,
        certificate: groupCertificate(seat, certified, open),
      }),
    )
  const certificate = { keyId, epoch, signers: signersBitmap(parties), ...signature }
  return [
    {
      kind: "batch",
      results: batch.leaves.map(({ result }) => resultToBody(result)),
      certificate: batchCertificateToBody(certificate),
    },
  ]
}

/**
 * The body of a result whose requester demands more; null while there is too little support.
 * @param turn another choice of quotes each time: a contract refuses all where it refuses one
 */
export function policyBody(
  seat: KeySeat,
  certified: GroupCertified,
  open: OpenResult,
  support: Support,
  turn: number,
): SubmissionBody | null {
  const evidence = evidenceFor(open, support, turn)
  if (evidence === null) return null
  return certifiedToBody({
    kind: "policy",
    result: open.result,
    certificate: groupCertificate(seat, certified, open),
    evidence,
  })
}

function evidenceFor(
  { policy }: OpenResult,
  { endorsed, quotes, live }: Support,
  turn: number,
): PolicyEvidence | null {
  const endorsers = endorsed.parties
    .map((party, i) => ({ party, signature: endorsed.signatures[i] ?? new Uint8Array() }))
    .filter(({ party }) => live.has(party))
    .slice(0, policy.endorsements)
  const offered = [...quotes].filter(([party]) => live.has(party))
  const chosen = offered
    .map((_, i) => offered[(i + turn) % offered.length] as (typeof offered)[number])
    .slice(0, policy.freshQuotes)
    .sort(([a], [b]) => a - b)
  if (endorsers.length < policy.endorsements || chosen.length < policy.freshQuotes) return null
  return {
    endorsers: signersBitmap(endorsers.map(({ party }) => party)),
    signatures: endorsers.map(({ signature }) => signature),
    quotes: chosen.map(([party, evidence]) => ({ party, evidence })),
  }
}
