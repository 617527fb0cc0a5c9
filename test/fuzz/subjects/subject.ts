/** One family of cases: how its mutants are made and what must hold for each. */
import type { CollateralBundle } from "@twinlock/sdk/attestation/collateralBundle"
import type { AttestationErrorCode } from "@twinlock/sdk/attestation/errors"
import type { VerifiedQuote } from "@twinlock/sdk/attestation/underRoot"
import type { VerifiedCollateral } from "@twinlock/sdk/attestation/verifiedCollateral"
import { type Judgement, type JudgeOptions, judge } from "../oracle/judge.ts"
import type { Rng } from "../rng.ts"
import { measured } from "../steps.ts"
import type { Target } from "../target.ts"
import { type Attempt, attempt, mustEqual, Violation } from "../violation.ts"
import { collateral, rootKey, options as worldOptions } from "../world.ts"

export type Subject = {
  readonly name: string
  /** Share of the cases, relative to the other subjects'. */
  readonly weight: number
  /** @throws Violation */
  readonly run: (rng: Rng, target: Target) => Attempt<unknown>
}

/** Codes for inputs that are not what they claim to be: strict readers may refuse more than the tolerant oracle. */
const LAYOUT_CODES: readonly AttestationErrorCode[] = [
  "DER_MALFORMED",
  "PEM_MALFORMED",
  "CERTIFICATE_MALFORMED",
  "CRL_MALFORMED",
  "COLLATERAL_SHAPE",
  "TCB_INFO_MALFORMED",
  "QE_IDENTITY_MALFORMED",
  "QUOTE_LENGTH",
  "QUOTE_TRAILING",
  "QUOTE_VERSION",
  "QUOTE_BODY_TYPE",
  "QUOTE_CERTIFICATION_TYPE",
  "CHAIN_LENGTH",
]

/** Of everything that is read. */
export const sizeOf = (quote: Uint8Array, bundle: CollateralBundle): number =>
  quote.length + Object.values(bundle).reduce((sum, member) => sum + member.length, 0)

const kept = new WeakMap<Target, VerifiedCollateral>()

function keptCollateral(target: Target): VerifiedCollateral {
  const known = kept.get(target)
  if (known !== undefined) return known
  const made = target.verifyCollateral(collateral, worldOptions)
  kept.set(target, made)
  return made
}

/**
 * Verifies, with the parsers' steps counted against the size of the input. Genuine collateral is kept as a node
 * keeps it, signatures checked once; mutated collateral is checked completely.
 */
export const verified = (target: Target, quote: Uint8Array, options: JudgeOptions): Attempt<VerifiedQuote> =>
  measured(sizeOf(quote, options.collateral), () =>
    attempt(() => {
      const genuine = options.collateral === collateral
      return target.verify(quote, genuine ? { ...options, collateral: keptCollateral(target) } : options)
    }),
  )

/**
 * A mutant is accepted exactly where the oracle accepts, with the oracle's verdict.
 * @param exact for mutants of plain fields: a refusal must name a fault that is there.
 */
export function judged(
  target: Target,
  quote: Uint8Array,
  options: JudgeOptions,
  exact: boolean,
): Attempt<VerifiedQuote> {
  const outcome = verified(target, quote, options)
  mustAgree(outcome, () => judge(quote, options, rootKey.publicKey), exact)
  return outcome
}

/** @throws Violation unless the outcome is the oracle's. */
export function mustAgree(outcome: Attempt<VerifiedQuote>, opinion: () => Judgement, exact: boolean): void {
  if (outcome.status === "refused" && !exact && LAYOUT_CODES.includes(outcome.code)) return
  const judgement = opinion()
  if (outcome.status === "accepted") {
    if (judgement.kind !== "good")
      throw new Violation(
        `accepted, but the oracle says ${judgement.kind === "faulty" ? judgement.faults.join(", ") : "unreadable"}`,
      )
    for (const [name, expected] of Object.entries(judgement.verdict))
      mustEqual(`the verdict's ${name}`, outcome.value[name as keyof VerifiedQuote], expected)
    return
  }
  if (judgement.kind === "unreadable") return
  const faults = judgement.kind === "faulty" ? judgement.faults : []
  if (!faults.includes(outcome.code))
    throw new Violation(
      `refused with ${outcome.code}, but the oracle finds ${faults.join(", ") || "no fault"}`,
    )
}

export const withCollateral = (changes: Partial<CollateralBundle>): CollateralBundle => ({
  ...collateral,
  ...changes,
})
