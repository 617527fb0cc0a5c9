/** Makes quotes of the own trust domain for registration and channels. */

import { parseQuote } from "@twinlock/sdk/attestation/quote"
import { checkReportData } from "@twinlock/sdk/attestation/reportData"
import type { Hex } from "@twinlock/sdk/protocol/ids"
import { encodeChannelEvidence } from "./channelEvidence.ts"
import { configDocumentOf, needsConfigDocument } from "./configDocument.ts"
import type { AgentInfo, AgentQuote, GuestAgent } from "./guestAgent.ts"

/** A quote with everything that its appraisal needs beyond collateral. */
export type OwnQuote = AgentQuote & {
  /** Empty unless mr_config_id has version 3. */
  readonly configDocument: Uint8Array
}

export type Quoter = {
  /**
   * @param reportData 64 bytes.
   * @throws POLICY_REPORT_DATA where the agent answers for other report data, QUOTE_* where it is no TDX quote,
   * AGENT_* where it fails or its facts do not give the configuration document.
   */
  quote(reportData: Uint8Array): Promise<OwnQuote>
  info(): Promise<AgentInfo>
}

export function createQuoter(agent: GuestAgent): Quoter {
  /** The register and its document stay the same as long as the guest runs. */
  let known: { readonly mrConfigId: Hex; readonly document: Uint8Array } | null = null

  async function documentOf(mrConfigId: Hex): Promise<Uint8Array> {
    if (!needsConfigDocument(mrConfigId)) return new Uint8Array()
    if (known?.mrConfigId !== mrConfigId)
      known = { mrConfigId, document: configDocumentOf(await agent.info(), mrConfigId) }
    return known.document
  }

  return {
    async quote(reportData) {
      const answer = await agent.getQuote(reportData)
      const { report } = parseQuote(answer.quote)
      checkReportData(report.reportData, reportData)
      return { ...answer, configDocument: await documentOf(report.mrConfigId) }
    },
    info: () => agent.info(),
  }
}

/** What the attested channel sends: quote, event log and configuration document in one message (`p2p/attestedChannel.ts`). */
export const channelQuoter = (quoter: Quoter): { quote(reportData: Uint8Array): Promise<Uint8Array> } => ({
  quote: async (reportData) => encodeChannelEvidence(await quoter.quote(reportData)),
})
