/**
 * The parts of a quote that a contract needs (docs/attestation.md §1): no signature of the quote covers the
 * certificates of the CAs, so they are left out and the CA is named by its key, which the contract holds already.
 */
import { concatBytes, keccak } from "../protocol/codec.ts"
import type { Digest } from "../protocol/ids.ts"
import { parseCertificate } from "./certificate.ts"
import type { CollateralBundle } from "./collateralBundle.ts"
import { attestationError } from "./errors.ts"
import { parsePemChain } from "./pem.ts"
import { parseQuote, parseQuoteParts, type Quote } from "./quote.ts"

export type Evidence = {
  /** Header and body as signed: 632 bytes for version 4. */
  readonly quote: Uint8Array
  /** signature 64 ‖ attestation key 64 ‖ QE report 384 ‖ its signature 64 ‖ QE authentication data. */
  readonly auth: Uint8Array
  /** DER of the PCK certificate. */
  readonly pckLeaf: Uint8Array
  /** keccak256(x ‖ y) of the CA key that signed it. */
  readonly caId: Digest
  /** The document whose hash is in mr_config_id of version 3; empty for version 1. */
  readonly configDocument: Uint8Array
}

/**
 * Splits a quote for the contract. Nothing is verified.
 * @param configDocument of a machine whose mr_config_id has version 3
 * @throws as parseQuote and parseCertificate.
 */
export function evidenceOf(bytes: Uint8Array, configDocument: Uint8Array = new Uint8Array(0)): Evidence {
  const quote = parseQuote(bytes)
  const [pckLeaf, intermediate] = quote.chain
  if (!pckLeaf || !intermediate)
    throw attestationError("CHAIN_LENGTH", `want three certificates in the quote, got ${quote.chain.length}`)
  return {
    quote: quote.signedBytes,
    auth: concatBytes(
      quote.signature,
      quote.attestationKey,
      quote.qeReport.bytes,
      quote.qeReportSignature,
      quote.qeAuthData,
    ),
    pckLeaf,
    caId: caIdOf(parseCertificate(intermediate).publicKey),
    configDocument,
  }
}

/** @param publicKey x ‖ y. */
export const caIdOf = (publicKey: Uint8Array): Digest => keccak(publicKey)

/**
 * The quote behind `evidence`, with the CA certificates of the collateral. Nothing is verified.
 * @throws CHAIN_ISSUER where the collateral's CA is not the one that the evidence names.
 */
export function quoteOfEvidence(evidence: Evidence, collateral: CollateralBundle): Quote {
  const [authority, ...others] = parsePemChain(collateral.pck_crl_issuer_chain)
  if (!authority || caIdOf(parseCertificate(authority).publicKey) !== evidence.caId)
    throw attestationError("CHAIN_ISSUER", `the collateral has no certificate of CA ${evidence.caId}`)
  return parseQuoteParts(evidence.quote, evidence.auth, [evidence.pckLeaf, authority, ...others])
}
