/** Which machine a quote says that it is of: enough to ask for its collateral. */
import { parseCertificate } from "@twinlock/sdk/attestation/certificate"
import { attestationError } from "@twinlock/sdk/attestation/errors"
import { parseQuote } from "@twinlock/sdk/attestation/quote"
import type { CollateralPlatform } from "./pccs.ts"

/**
 * Unverified: a lie only fetches collateral that does not fit.
 * @throws QUOTE_*, PEM_MALFORMED, CERTIFICATE_MALFORMED, PCK_EXTENSION_MISSING
 */
export function platformOf(quote: Uint8Array): CollateralPlatform {
  const [leaf, authority] = parseQuote(quote).chain.map(parseCertificate)
  if (!leaf?.sgx || !authority)
    throw attestationError("PCK_EXTENSION_MISSING", "the quote carries no PCK certificate with its authority")
  return {
    fmspc: leaf.sgx.fmspc.slice(2),
    authority: authority.commonName.includes("Processor") ? "processor" : "platform",
  }
}
