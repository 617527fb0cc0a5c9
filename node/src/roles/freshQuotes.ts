/** The own enclave as a source of quotes over batches (protocol §7, `FreshQuote`), and the contract as their judge. */
import { evidenceOf } from "@twinlock/sdk/attestation/evidence"
import { contractEvidence, contractResult } from "@twinlock/sdk/chain/acceptance"
import { signersBitmap } from "@twinlock/sdk/protocol/committee"
import { certificateToBody, policyEvidenceToBody, resultToBody } from "@twinlock/sdk/protocol/http"
import type { Address } from "@twinlock/sdk/protocol/ids"
import type { Quoter } from "../attestation/quoter.ts"
import type { ChainView } from "../chain/chainView.ts"
import type { ContractReader } from "../chain/contractReader.ts"
import { decryptionVerifierInterface } from "../chain/contracts.ts"
import type { KeySeat } from "../decryption/seat.ts"
import { groupCertificate } from "../decryption/signing/deliverables.ts"
import type { Quotes } from "../decryption/signing/quoting.ts"

export type FreshQuotesDeps = {
  readonly quoter: Pick<Quoter, "quote">
  readonly chain: Pick<ChainView, "head">
  readonly reader: Pick<ContractReader, "rawCall">
  readonly verifier: Address
}

/** Several times what a certificate with one quote costs. */
const GAS = 3_000_000
const ONE_QUOTE = { endorsements: 0, freshQuotes: 1, groupOnly: false } as const

/** A peer's quote is asked about where it will be judged: the verifier, with this very certificate, at the agreed head. */
export const freshQuotes = (seat: KeySeat, { quoter, chain, reader, verifier }: FreshQuotesDeps): Quotes => ({
  async quoteOver(reportData) {
    const { quote, configDocument } = await quoter.quote(reportData)
    return evidenceOf(quote, configDocument)
  },
  async holds(certified, party, evidence) {
    const [leaf] = certified.batch.leaves
    if (leaf === undefined) return false
    const beside = { endorsers: signersBitmap([]), signatures: [], quotes: [{ party, evidence }] }
    const data = decryptionVerifierInterface.encodeFunctionData("verifyWith", [
      contractResult(resultToBody(leaf.result)),
      certificateToBody(groupCertificate(seat, certified, leaf)),
      contractEvidence(policyEvidenceToBody(beside)),
      ONE_QUOTE,
    ])
    return (await reader.rawCall(verifier, data, GAS, await chain.head())) !== null
  },
})
