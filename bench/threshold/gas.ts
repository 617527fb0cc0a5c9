/** Gas of whole transactions that do nothing but verify what the committee certified. */
import { contractAt } from "@twinlock/devnet/network/contracts"
import { contractResult } from "@twinlock/sdk/chain/acceptance"
import { type Figure, figure } from "../figure.ts"
import type { Cluster } from "./cluster.ts"
import type { Sample } from "./latency.ts"

/** Of a certificate of one result; the group signed it with a quorum. */
export async function acceptanceFigure(
  { n, t, base, contracts, control }: Cluster,
  { delivered }: Sample,
): Promise<Figure> {
  const { result, certificate } = delivered
  // Not the account of the load, whose nonces are counted elsewhere.
  const account = base.accounts.submitter
  const { to, data } = await contractAt("DecryptionVerifier", contracts.decryptionVerifier, account)
    .getFunction("verify")
    .populateTransaction(contractResult(result), certificate)
  const sending = await account.signer.sendTransaction({ to, data })
  await control.mine()
  const receipt = await sending.wait()
  if (receipt?.status !== 1) throw new Error("the verifier did not accept the certificate")
  const signers = BigInt(certificate.signers).toString(2).replaceAll("0", "").length
  return figure("gas.accept", Number(receipt.gasUsed), "gas", {
    ...{ n, t, type: "FheUint64", p: 50 },
    ...{ signers, results: 1, leaves: Number(certificate.leaves) },
  })
}
