/** Makes quotes of the own trust domain for registration and channels. */

import { parseQuote } from "@twinlock/sdk/attestation/quote"
import { checkReportData } from "@twinlock/sdk/attestation/reportData"
import { encodeChannelEvidence } from "./channelEvidence.ts"
import type { AgentInfo, AgentQuote, GuestAgent } from "./guestAgent.ts"

export type Quoter = {
  /**
   * @param reportData 64 bytes.
   * @throws POLICY_REPORT_DATA where the agent answers for other report data, QUOTE_* where it is no TDX quote.
   */
  quote(reportData: Uint8Array): Promise<AgentQuote>
  info(): Promise<AgentInfo>
}

export const createQuoter = (agent: GuestAgent): Quoter => ({
  async quote(reportData) {
    const answer = await agent.getQuote(reportData)
    checkReportData(parseQuote(answer.quote).report.reportData, reportData)
    return answer
  },
  info: () => agent.info(),
})

/** What the attested channel sends: quote and event log in one message (`p2p/attestedChannel.ts`). */
export const channelQuoter = (quoter: Quoter): { quote(reportData: Uint8Array): Promise<Uint8Array> } => ({
  quote: async (reportData) => encodeChannelEvidence(await quoter.quote(reportData)),
})
