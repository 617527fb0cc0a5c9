/** Gas of a whole transaction that does nothing but verify a certificate. */
import { contractResult } from "@twinlock/sdk/chain/acceptance"
import type { CertificatesRequest } from "@twinlock/sdk/protocol/http"
import { contractAt, sent } from "../network/contracts.ts"
import { awaitCertificate } from "./certified.ts"
import type { Setting } from "./setting.ts"
import { awaitSum, requestSum, type Sums } from "./sums.ts"

export async function gasOfVerification(
  { network }: Setting,
  { result, certificate }: CertificatesRequest,
): Promise<bigint> {
  const verifier = contractAt(
    "DecryptionVerifier",
    network.contracts.decryptionVerifier,
    network.accounts.organiser,
  )
  const { to, data } = await verifier
    .getFunction("verify")
    .populateTransaction(contractResult(result), certificate)
  const receipt = await sent(network.accounts.organiser.signer.sendTransaction({ to, data }))
  return receipt.gasUsed
}

/** For one fresh result. */
export async function gasOfAcceptance(setting: Setting, sums: Sums): Promise<number> {
  const request = await requestSum(setting, sums, 7)
  await awaitSum(setting, request)
  const certified = await awaitCertificate(setting.network.coordinatorUrl, request.requestId, 10_000)
  return Number(await gasOfVerification(setting, certified))
}
