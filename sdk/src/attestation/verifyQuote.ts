/**
 * The production entry of quote verification: Intel's root key is a constant of this file and no argument, option or
 * configuration replaces it. Simulated platforms are accepted by `devnetRoot.ts` alone.
 */
import { fromHex } from "../protocol/codec.ts"
import type { Digest } from "../protocol/ids.ts"
import { parseRootKey, type RootKey } from "./chain.ts"
import type { CollateralBundle } from "./collateralBundle.ts"
import { attestationError } from "./errors.ts"
import {
  type QuoteVerifier,
  quoteVerifierUnder,
  rootIdOf,
  type VerifiedQuote,
  type VerifyOptions,
} from "./underRoot.ts"
import type { CollateralTerms, VerifiedCollateral } from "./verifiedCollateral.ts"

/** Public key of "Intel SGX Root CA", x ‖ y. */
export const INTEL_ROOT_KEY: RootKey = parseRootKey(
  fromHex(
    "0x0ba9c4c0c0c86193a3fe23d6b02cda10a8bbd4e88e48b4458561a36e705525f567918e2edc88e40d860bd0cc4ee26aacc988e505a953558c453f6b0904ae7394",
  ),
)

export const INTEL_ROOT_ID: Digest = rootIdOf(INTEL_ROOT_KEY)

/** One for all: it keeps tables of Intel's keys, which change no verdict. */
const INTEL_VERIFIER: QuoteVerifier = quoteVerifierUnder(INTEL_ROOT_KEY)

/** Verifies a quote under Intel's root. @throws an AttestationErrorCode per failed check */
export const verifyQuote = (quote: Uint8Array, options: VerifyOptions): VerifiedQuote =>
  INTEL_VERIFIER.verify(quote, options)

/**
 * Verifies collateral under Intel's root, to be given to `verifyQuote` for many quotes.
 * @throws an AttestationErrorCode per failed check
 */
export const verifyCollateral = (bundle: CollateralBundle, terms: CollateralTerms): VerifiedCollateral =>
  INTEL_VERIFIER.verifyCollateral(bundle, terms)

/**
 * The verifier for a network whose contracts pin `contractRootId`. @throws ROOT_MISMATCH unless that is Intel's root:
 * a network under another root is no production network, whatever its configuration says.
 */
export function createQuoteVerifier(contractRootId: Digest): QuoteVerifier {
  if (contractRootId !== INTEL_ROOT_ID)
    throw attestationError(
      "ROOT_MISMATCH",
      `the contract pins root ${contractRootId}, want Intel's ${INTEL_ROOT_ID}`,
    )
  return INTEL_VERIFIER
}
