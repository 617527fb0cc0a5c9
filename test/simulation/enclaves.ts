/**
 * Quotes with an ideal functionality in their place: one holds for the machine and the report data that it was made for, by
 * that machine's enclave, and for no other reason.
 */
import { encodeQuoteEvidence } from "@twinlock/node/decryption/signing/quoteEvidence"
import type { QuoteEvidence } from "@twinlock/sdk/protocol/certificate"
import { toHex } from "@twinlock/sdk/protocol/codec"
import type { Address } from "@twinlock/sdk/protocol/ids"
import { NO_DIGEST } from "./chain.ts"
import type { Random } from "./random.ts"

export type Enclaves = {
  quoteOver(signer: Address, reportData: Uint8Array): QuoteEvidence
  /** What whoever has no enclave can make: of the right form, and of nothing. */
  forge(reportData: Uint8Array): QuoteEvidence
  isGenuine(signer: Address, reportData: Uint8Array, evidence: QuoteEvidence): boolean
}

const nameOf = (signer: Address, reportData: Uint8Array, evidence: QuoteEvidence): string =>
  `${signer} ${toHex(reportData)} ${toHex(encodeQuoteEvidence(evidence))}`

export function createEnclaves(random: Random): Enclaves {
  const made = new Set<string>()
  const evidenceOver = (reportData: Uint8Array): QuoteEvidence => ({
    ...{ quote: reportData.slice(), auth: random.bytes(16), pckLeaf: new Uint8Array() },
    ...{ caId: NO_DIGEST, configDocument: new Uint8Array() },
  })
  return {
    quoteOver(signer, reportData) {
      const evidence = evidenceOver(reportData)
      made.add(nameOf(signer, reportData, evidence))
      return evidence
    },
    forge: evidenceOver,
    isGenuine: (signer, reportData, evidence) => made.has(nameOf(signer, reportData, evidence)),
  }
}
