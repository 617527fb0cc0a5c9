/**
 * What a quote proves by itself: that a machine under the pinned root made it, whatever the time and however good that
 * machine is. Cheap and without I/O, so that nobody makes this node ask services or the chain with a quote that is
 * no quote. Inputs are public.
 */

import { parseCertificate } from "@twinlock/sdk/attestation/certificate"
import {
  type PckCertificate,
  parseRootKey,
  verifyAuthorityChain,
  verifyPckCertificate,
} from "@twinlock/sdk/attestation/chain"
import { attestationError } from "@twinlock/sdk/attestation/errors"
import { createSignatureCheck } from "@twinlock/sdk/attestation/p256"
import type { Quote } from "@twinlock/sdk/attestation/quote"
import {
  checkQeReportBinding,
  checkQeReportSignature,
  checkQuoteSignature,
} from "@twinlock/sdk/attestation/quoteChecks"
import { rootIdOf } from "@twinlock/sdk/attestation/underRoot"
import type { Digest } from "@twinlock/sdk/protocol/ids"
import type { CollateralPlatform } from "./pccs.ts"

export type QuoteOrigin = {
  readonly leaf: PckCertificate
  /** Whose collateral judges it. */
  readonly platform: CollateralPlatform
}

const verify = createSignatureCheck()

/**
 * @param rootId keccak256(x ‖ y) of the pinned root key.
 * @throws CHAIN_*, ROOT_MISMATCH, CERTIFICATE_MALFORMED, PCK_EXTENSION_MISSING, QE_REPORT_SIGNATURE, QE_REPORT_BINDING,
 * QUOTE_SIGNATURE
 */
export function originOf(quote: Quote, rootId: Digest): QuoteOrigin {
  const [leafDer, ...issuers] = quote.chain
  const rootDer = issuers.at(-1)
  if (!leafDer || !rootDer || issuers.length !== 2)
    throw attestationError("CHAIN_LENGTH", `a PCK chain has three certificates, got ${quote.chain.length}`)
  const { publicKey } = parseCertificate(rootDer)
  if (rootIdOf(publicKey) !== rootId)
    throw attestationError("ROOT_MISMATCH", `the quote is under root ${rootIdOf(publicKey)}, not ${rootId}`)
  const { authority } = verifyAuthorityChain(issuers, { rootKey: parseRootKey(publicKey), verify })
  const leaf = verifyPckCertificate(leafDer, authority, verify)
  checkQeReportSignature(quote, leaf.publicKey)
  checkQeReportBinding(quote)
  checkQuoteSignature(quote)
  return {
    leaf,
    platform: {
      fmspc: leaf.sgx.fmspc.slice(2),
      authority: authority.commonName.includes("Processor") ? "processor" : "platform",
    },
  }
}
