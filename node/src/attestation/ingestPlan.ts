/**
 * Which parts of collateral the chain lacks, as a pure function of what it holds (attestation.md amendments 1 and 3).
 * The contract believes only Intel's signatures, so whoever brings a document is of no account; nodes do it because
 * their own standing ends with the collateral.
 */
import { caIdOf } from "@twinlock/sdk/attestation/evidence"
import { parsePemChain } from "@twinlock/sdk/attestation/pem"
import type { VerifiedCollateral } from "@twinlock/sdk/attestation/verifiedCollateral"
import type { Digest } from "@twinlock/sdk/protocol/ids"

/** Unix seconds; 0 where there is none. */
export type HeldDocument = { readonly issuedAt: number; readonly expiresAt: number }
export type HeldSet = HeldDocument & { readonly evaluation: number }

/** What a CollateralStore holds for one kind of machine. */
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

type Dates = { readonly issuedAt: number; readonly expiresAt: number }

/** Worth a transaction: newer than what is held, which is about to run out or absent. */
const isDue = (held: HeldDocument | undefined, offered: Dates, time: number, lead: number): boolean =>
  held === undefined || (offered.issuedAt > held.issuedAt && held.expiresAt - time < lead)

const signerOf = (pem: string): Uint8Array => parsePemChain(pem)[0] ?? new Uint8Array()
const bytesOf = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, "hex"))

/**
 * In the order in which the store takes them: lists of revocations first, so that nothing is believed for longer than
 * it should be.
 * @param time unix seconds. @param lead seconds before the end at which a document is replaced.
 */
export function ingestPlan(
  held: HeldCollateral,
  collateral: VerifiedCollateral,
  { time, lead }: { readonly time: number; readonly lead: number },
): readonly Ingest[] {
  const { bundle, authority, rootCrl, pckCrl, tcbInfo, qeIdentity } = collateral
  const due = (known: HeldDocument | undefined, issuedAt: number, expiresAt: number) =>
    isDue(known, { issuedAt, expiresAt }, time, lead)
  const plan: Ingest[] = []
  if (due(held.rootCrl, rootCrl.thisUpdate, rootCrl.nextUpdate))
    plan.push({ kind: "root_crl", der: bytesOf(bundle.root_ca_crl) })
  if (held.authority === null) plan.push({ kind: "authority", der: authority.der })
  if (due(held.authority ?? undefined, pckCrl.thisUpdate, pckCrl.nextUpdate))
    plan.push({
      kind: "pck_crl",
      caId: caIdOf(authority.publicKey),
      der: bytesOf(bundle.pck_crl),
      serials: pckCrl.revoked.size,
    })
  const setOf = (sets: readonly HeldSet[], evaluation: number) =>
    sets.find((set) => set.evaluation === evaluation)
  if (due(setOf(held.tcbSets, tcbInfo.evaluationNumber), tcbInfo.issuedAt, tcbInfo.nextUpdate))
    plan.push({
      kind: "tcb_info",
      text: bundle.tcb_info,
      signature: bundle.tcb_info_signature,
      signer: signerOf(bundle.tcb_info_issuer_chain),
    })
  if (due(setOf(held.qeIdentities, qeIdentity.evaluationNumber), qeIdentity.issuedAt, qeIdentity.nextUpdate))
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
