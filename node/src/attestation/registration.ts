/**
 * What `NodeRegistry.register` and `renew` take: the registration, and the parts of a quote that binds it to a recent
 * block (protocol §2). Making the quote is the only I/O; sending the transaction is the caller's.
 */
import { type Evidence, evidenceOf } from "@twinlock/sdk/attestation/evidence"
import { registrationReportData } from "@twinlock/sdk/attestation/reportData"
import { type Role, roleCode } from "@twinlock/sdk/attestation/role"
import type { Registration } from "@twinlock/sdk/protocol/eip712"
import type { Address, Digest } from "@twinlock/sdk/protocol/ids"
import type { BlockRef } from "../chain/chainView.ts"
import type { Quoter } from "./quoter.ts"

export type RegistrationInput = {
  readonly chainId: bigint
  readonly nodeRegistry: Address
  readonly operator: Address
  readonly role: Role
  readonly signer: Address
  readonly peerIdHash: Digest
  readonly configHash: Digest
  /**
   * An agreed, finalised block: younger than the registry's `maxChallengeAge` and than the node's last challenge and
   * any revocation.
   */
  readonly challenge: BlockRef
}

export type PreparedRegistration = { readonly registration: Registration; readonly evidence: Evidence }

/** @throws AGENT_*, QUOTE_*, POLICY_REPORT_DATA */
export async function prepareRegistration(
  input: RegistrationInput,
  quoter: Quoter,
): Promise<PreparedRegistration> {
  const { challenge, chainId, nodeRegistry, role, ...identity } = input
  const reportData = registrationReportData({
    ...identity,
    chainId,
    nodeRegistry,
    role,
    challengeBlock: challenge.number,
    challengeBlockHash: challenge.hash,
  })
  const { quote, configDocument } = await quoter.quote(reportData)
  return {
    registration: { ...identity, role: roleCode(role), challengeBlock: challenge.number },
    evidence: evidenceOf(quote, configDocument),
  }
}
