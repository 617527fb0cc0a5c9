/**
 * Verifying the nodes' raw TDX quotes, as the contract did and once more here (protocol §2, docs/attestation.md): the evidence is
 * taken from the registration transactions, the collateral from the caller, the rules are those of the registry.
 */
import type { CollateralBundle } from "../attestation/collateralBundle.ts"
import type { Evidence } from "../attestation/evidence.ts"
import { appraiseQuote, DEFAULT_POLICY } from "../attestation/policy.ts"
import { registrationReportData } from "../attestation/reportData.ts"
import type { QuoteVerifier } from "../attestation/underRoot.ts"
import type { ChainBlock } from "../chain/endpoints.ts"
import { readEntry, readEvidence, readFloors, readNode } from "../chain/readNodes.ts"
import type { TwinlockClient } from "../client.ts"
import { isProtocolError } from "../protocol/errors.ts"
import type { Address } from "../protocol/ids.ts"

export type QuoteSource = {
  /** From createQuoteVerifier: pins the root key. */
  readonly verifier: QuoteVerifier
  /** Intel's statements for the platform of this evidence, e.g. from a PCCS. They are verified under the same root. */
  readonly collateral: (evidence: Evidence) => Promise<CollateralBundle>
}

export type QuoteAppraisal = {
  readonly signer: Address
  readonly ok: boolean
  /** What the quote shows, or the rule that it breaks. */
  readonly detail: string
}

/** Appraises the newest quote of every signer; a bad or missing one is a finding, no exception. @throws EndpointErrorCode */
export async function verifyQuotes(
  client: TwinlockClient,
  signers: readonly Address[],
  source: QuoteSource,
  at: ChainBlock,
): Promise<readonly QuoteAppraisal[]> {
  const floors = await readFloors(client.chain, at)
  return Promise.all(signers.map((signer) => appraise(client, signer, source, floors, at)))
}

async function appraise(
  { chain }: TwinlockClient,
  signer: Address,
  { verifier, collateral }: QuoteSource,
  floors: { readonly tcb: number; readonly qe: number },
  at: ChainBlock,
): Promise<QuoteAppraisal> {
  const node = await readNode(chain, signer, at)
  const evidence = await readEvidence(chain, signer, at)
  if (node === null || evidence === null) return { signer, ok: false, detail: "no evidence on chain" }
  const { chainId, nodeRegistry } = chain.deployment
  const challengeBlockHash = await chain.endpoints.blockHash(node.challengeBlock)
  const reportData = registrationReportData({ ...node, chainId, nodeRegistry, challengeBlockHash })
  const entry = await readEntry(chain, node.entryId, at)
  const bundle = await collateral(evidence)
  try {
    const time = Number(at.timestamp)
    const quote = verifier.verifyEvidence(evidence, { collateral: bundle, time, floors })
    const { configDocument } = evidence
    const expected = { role: node.role, reportData, configDocument }
    appraiseQuote(quote, { ...DEFAULT_POLICY, entries: [entry] }, expected)
    const { status, platform } = quote
    const detail = `${status}, image ${entry.imageId}, compose file ${entry.composeHash}, platform ${platform.ppid}`
    return { signer, ok: true, detail }
  } catch (error) {
    if (!isProtocolError(error)) throw error
    return { signer, ok: false, detail: error.message }
  }
}
