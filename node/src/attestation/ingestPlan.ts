/**
 * Which parts of collateral the chain lacks, as a pure function of what it holds (docs/attestation.md §5 and §7).
 * The contract believes only Intel's signatures, so whoever brings a document is of no account; nodes do it because
 * their own standing ends with the collateral, and because a revoked machine is seated until the chain hears of it.
 */
import { caIdOf } from "@twinlock/sdk/attestation/evidence"
import { parsePemChain } from "@twinlock/sdk/attestation/pem"
import type { VerifiedCollateral } from "@twinlock/sdk/attestation/verifiedCollateral"
import type { Digest } from "@twinlock/sdk/protocol/ids"

/** Unix seconds; 0 where there is none. */
export type HeldDocument = {
  readonly issuedAt: number
  readonly expiresAt: number
  /**
   * Whether the newer document that is offered says something else: a list that revokes what the chain does not, or
   * levels that the chain does not have. False where none newer is offered.
   */
  readonly differs: boolean
}
export type HeldSet = HeldDocument & { readonly evaluation: number }

/** What a CollateralStore holds for one kind of machine, compared with what is offered to it. */
export type HeldCollateral = {
  readonly rootCrl: HeldDocument
  /** Null where the CA is unknown to the store. */
  readonly authority: (HeldDocument & { readonly caId: Digest }) | null
  readonly tcbSets: readonly HeldSet[]
  readonly qeIdentities: readonly HeldSet[]
}

export type Ingest =
  | { readonly kind: "root_crl"; readonly der: Uint8Array }
  | { readonly kind: "authority"; readonly der: Uint8Array }
  | { readonly kind: "pck_crl"; readonly caId: Digest; readonly der: Uint8Array; readonly serials: number }
  | {
      readonly kind: "tcb_info" | "qe_identity"
      readonly text: string
      /** r ‖ s, hex without 0x. */
      readonly signature: string
      /** DER of the certificate that signs it, for a store that does not know it yet. */
      readonly signer: Uint8Array
    }

/** When a document that says the same as the held one is worth a transaction, in seconds. */
export type IngestPace = {
  /** Before the end of the held one. */
  readonly lead: number
  /** By how much a list of revocations must be newer. */
  readonly listAge: number
  /** By how much TCB info or QE identity must be newer. */
  readonly documentAge: number
}

/** Absent, or newer and: of other content, newer by far, or in the place of one that is about to run out. */
function isDue(held: HeldDocument | undefined, issuedAt: number, age: number, lead: number, time: number) {
  if (held === undefined) return true
  const newerBy = issuedAt - held.issuedAt
  return newerBy > 0 && (held.differs || newerBy > age || held.expiresAt - time < lead)
}

const signerOf = (pem: string): Uint8Array => parsePemChain(pem)[0] ?? new Uint8Array()
const bytesOf = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, "hex"))

/**
 * In the order in which the store takes them: lists of revocations first, so that nothing is believed for longer than
 * it should be.
 * @param time unix seconds.
 */
export function ingestPlan(
  held: HeldCollateral,
  collateral: VerifiedCollateral,
  { time, lead, listAge, documentAge }: IngestPace & { readonly time: number },
): readonly Ingest[] {
  const { bundle, authority, rootCrl, pckCrl, tcbInfo, qeIdentity } = collateral
  const listIsDue = (known: HeldDocument | undefined, thisUpdate: number) =>
    isDue(known, thisUpdate, listAge, lead, time)
  const setIsDue = (sets: readonly HeldSet[], offered: typeof tcbInfo | typeof qeIdentity) => {
    const known = sets.find((set) => set.evaluation === offered.evaluationNumber)
    return isDue(known, offered.issuedAt, documentAge, lead, time)
  }
  const plan: Ingest[] = []
  if (listIsDue(held.rootCrl, rootCrl.thisUpdate))
    plan.push({ kind: "root_crl", der: bytesOf(bundle.root_ca_crl) })
  if (held.authority === null) plan.push({ kind: "authority", der: authority.der })
  if (listIsDue(held.authority ?? undefined, pckCrl.thisUpdate))
    plan.push({
      kind: "pck_crl",
      caId: caIdOf(authority.publicKey),
      der: bytesOf(bundle.pck_crl),
      serials: pckCrl.revoked.size,
    })
  if (setIsDue(held.tcbSets, tcbInfo))
    plan.push({
      kind: "tcb_info",
      text: bundle.tcb_info,
      signature: bundle.tcb_info_signature,
      signer: signerOf(bundle.tcb_info_issuer_chain),
    })
  if (setIsDue(held.qeIdentities, qeIdentity))
    plan.push({
      kind: "qe_identity",
      text: bundle.qe_identity,
      signature: bundle.qe_identity_signature,
      signer: signerOf(bundle.qe_identity_issuer_chain),
    })
  return plan
}

/** The first thing that runs out of what a machine's quote needs: unix seconds, 0 where something is absent. */
export function heldUntil({ rootCrl, authority, tcbSets, qeIdentities }: HeldCollateral): number {
  const longest = (sets: readonly HeldSet[]) => Math.max(0, ...sets.map(({ expiresAt }) => expiresAt))
  return Math.min(rootCrl.expiresAt, authority?.expiresAt ?? 0, longest(tcbSets), longest(qeIdentities))
}
