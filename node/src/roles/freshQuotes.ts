/** The own enclave as a source of quotes over batches (protocol §7, `FreshQuote`), in the form that the contract takes. */
import { evidenceOf } from "@twinlock/sdk/attestation/evidence"
import { parseQuoteParts } from "@twinlock/sdk/attestation/quote"
import { toHex } from "@twinlock/sdk/protocol/codec"
import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import type { Quoter } from "../attestation/quoter.ts"
import type { Quotes } from "../decryption/signing/quoting.ts"

/** A peer's evidence is judged by what it binds; its chain, standing and software are the contract's to judge. */
export const freshQuotes = (quoter: Pick<Quoter, "quote">): Quotes => ({
  async quoteOver(reportData) {
    const { quote, configDocument } = await quoter.quote(reportData)
    return evidenceOf(quote, configDocument)
  },
  async judge(_, reportData, { quote, auth, pckLeaf }) {
    try {
      const { report } = parseQuoteParts(quote, auth, [pckLeaf])
      return report.reportData === toHex(reportData)
    } catch (error) {
      if (isProtocolError(error)) return false
      throw error
    }
  },
})
