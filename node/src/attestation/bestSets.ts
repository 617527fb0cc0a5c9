/**
 * Verifies a quote as the registry does: Intel signs sets of levels side by side, and a machine may be judged by any
 * current one at or above the floors (docs/attestation.md §5 and §7). The newest under which it is up to date counts, else
 * the one that judges it best, for TDX levels and quoting enclave separately. Lists of revocations are always the newest.
 *
 * Unlike in the registry there is no grace: what is past its date judges nobody. Inputs are public.
 */
import type { AttestationErrorCode } from "@twinlock/sdk/attestation/errors"
import type { Quote } from "@twinlock/sdk/attestation/quote"
import { moduleLevel, platformLevel, quotingEnclaveLevel } from "@twinlock/sdk/attestation/tcbLevel"
import { mergeTcbStatus, TCB_STATUSES, type TcbStatus } from "@twinlock/sdk/attestation/tcbStatus"
import type { QuoteVerifier, VerifiedQuote } from "@twinlock/sdk/attestation/underRoot"
import type { CollateralTerms, VerifiedCollateral } from "@twinlock/sdk/attestation/verifiedCollateral"
import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import { type CollateralSource, withinFloors } from "./collateralSource.ts"
import type { CollateralPlatform, TcbSet } from "./pccs.ts"
import type { QuoteOrigin } from "./quoteOrigin.ts"

export type BestSetsDeps = {
  readonly verifier: Pick<QuoteVerifier, "verify" | "verifyCollateral">
  readonly collateral: CollateralSource
}

export type KnownQuote = { readonly bytes: Uint8Array; readonly quote: Quote; readonly origin: QuoteOrigin }

/** As many as the registry keeps. */
const MAX_SETS = 8

/** Refusals that another set may not share. */
const OF_THE_SET = [
  "TCB_LEVEL",
  "MODULE_UNKNOWN",
  "MODULE_TCB_LEVEL",
  "QE_SIGNER",
  "QE_PRODUCT",
  "QE_MISC_SELECT",
  "QE_ATTRIBUTES",
  "QE_TCB_LEVEL",
  "TCB_INFO_BELOW_FLOOR",
  "QE_IDENTITY_BELOW_FLOOR",
] as const satisfies readonly AttestationErrorCode[]

const NO_FLOORS = { tcb: 0, qe: 0 }

/** Current sets that some service gives, down to the floors. */
async function setsDownTo(
  { time, floors }: CollateralTerms,
  platform: CollateralPlatform,
  source: CollateralSource,
): Promise<readonly VerifiedCollateral[]> {
  async function setOf(set: TcbSet): Promise<readonly VerifiedCollateral[]> {
    try {
      return [await source.collateralFor(platform, { time, floors: NO_FLOORS }, set)]
    } catch (error) {
      if (!isProtocolError(error)) throw error
      return []
    }
  }
  const named = (await Promise.all([setOf("standard"), setOf("early")])).flat()
  const known = named.map(({ tcbInfo }) => tcbInfo.evaluationNumber)
  const newest = Math.max(-1, ...known)
  const lowest = Math.max(Math.min(floors.tcb, floors.qe), newest - MAX_SETS + 1)
  const others = Array.from({ length: Math.max(0, newest - lowest) }, (_, index) => newest - 1 - index)
  const older = await Promise.all(others.filter((number) => !known.includes(number)).map(setOf))
  return [...named, ...older.flat()]
}

/** The set that judges best, of equals the newest; null where all refuse. */
function bestOf(
  sets: readonly VerifiedCollateral[],
  number: (set: VerifiedCollateral) => number,
  judge: (set: VerifiedCollateral) => TcbStatus,
): VerifiedCollateral | null {
  let best: { readonly set: VerifiedCollateral; readonly rank: number } | null = null
  for (const set of sets.toSorted((one, other) => number(other) - number(one)))
    try {
      const rank = TCB_STATUSES.indexOf(judge(set))
      if (best === null || rank < best.rank) best = { set, rank }
    } catch (error) {
      if (!isProtocolError(error, ...OF_THE_SET)) throw error
    }
  return best?.set ?? null
}

const newestBy = (
  sets: readonly VerifiedCollateral[],
  list: "rootCrl" | "pckCrl",
  start: VerifiedCollateral,
): VerifiedCollateral =>
  sets.reduce((newest, set) => (set[list].thisUpdate > newest[list].thisUpdate ? set : newest), start)

/** A verified quote, and the collateral under which it is. */
export type JudgedQuote = { readonly verified: VerifiedQuote; readonly collateral: VerifiedCollateral }

/** @throws COLLATERAL_*, an AttestationErrorCode per failed check */
export async function judgeUnderBestSets(
  { bytes, quote, origin: { leaf, platform } }: KnownQuote,
  terms: CollateralTerms,
  { verifier, collateral: source }: BestSetsDeps,
): Promise<JudgedQuote> {
  const { floors } = terms
  const under = (collateral: VerifiedCollateral): JudgedQuote => ({
    verified: verifier.verify(bytes, { ...terms, collateral }),
    collateral,
  })
  let judged: JudgedQuote | null = null
  let refusal: unknown = null
  try {
    judged = under(await withinFloors(source, platform, terms))
    if (judged.verified.status === "UpToDate") return judged
  } catch (error) {
    if (!isProtocolError(error, ...OF_THE_SET, "COLLATERAL_STALE")) throw error
    refusal = error
  }
  const sets = await setsDownTo(terms, platform, source)
  const tcb = bestOf(
    sets.filter(({ tcbInfo }) => tcbInfo.evaluationNumber >= floors.tcb),
    ({ tcbInfo }) => tcbInfo.evaluationNumber,
    ({ tcbInfo }) =>
      mergeTcbStatus(
        platformLevel(tcbInfo, leaf.sgx, quote.report).status,
        moduleLevel(tcbInfo, quote.report).status,
      ),
  )
  const qe = bestOf(
    sets.filter(({ qeIdentity }) => qeIdentity.evaluationNumber >= floors.qe),
    ({ qeIdentity }) => qeIdentity.evaluationNumber,
    ({ qeIdentity }) => quotingEnclaveLevel(qeIdentity, quote.qeReport).status,
  )
  if (tcb === null || qe === null) {
    if (judged !== null) return judged
    throw refusal
  }
  const [root, pck] = [newestBy(sets, "rootCrl", tcb).bundle, newestBy(sets, "pckCrl", tcb).bundle]
  const bundle = {
    ...tcb.bundle,
    root_ca_crl: root.root_ca_crl,
    pck_crl: pck.pck_crl,
    pck_crl_issuer_chain: pck.pck_crl_issuer_chain,
    qe_identity: qe.bundle.qe_identity,
    qe_identity_signature: qe.bundle.qe_identity_signature,
    qe_identity_issuer_chain: qe.bundle.qe_identity_issuer_chain,
  }
  return under(verifier.verifyCollateral(bundle, terms))
}
