/** Decryptions of one small sum each: quick to make, and as real as the vote. */
import { BASE_FEE_WEI, contractAt, sent } from "../network/contracts.ts"
import { waitFor } from "../network/waitFor.ts"
import { awaitCertificate, awaitFinal } from "./certified.ts"
import type { Setting } from "./setting.ts"
import { deployExample } from "./vote.ts"

export type Sums = { readonly address: string }

export async function openSums(setting: Setting): Promise<Sums> {
  const { coprocessor, decryptionGateway } = setting.network.contracts
  return { address: await deployExample(setting, "EncryptedSum", [coprocessor, decryptionGateway]) }
}

export type SumRequest = { readonly requestId: string; readonly handle: string; readonly block: number }

/** Computes a + b on ciphertexts and requests the sum. */
export async function requestSum(
  { network }: Setting,
  { address }: Sums,
  a: number,
  b: number,
): Promise<SumRequest> {
  const contract = contractAt("EncryptedSum", address, network.accounts.organiser)
  await sent(contract.getFunction("compute").send(a, b))
  const receipt = await sent(contract.getFunction("reveal").send({ value: BASE_FEE_WEI }))
  for (const log of receipt.logs) {
    const parsed = contract.interface.parseLog(log)
    if (parsed?.name === "SumRequested")
      return { requestId: parsed.args["requestId"], handle: parsed.args["sum"], block: receipt.blockNumber }
  }
  throw new Error("nothing was requested")
}

/** Waits for the certificate, and until the gateway stored the result. */
export async function awaitSum(
  { network }: Setting,
  request: SumRequest,
  timeoutMs = 120_000,
): Promise<{ readonly value: number; readonly latencyMs: number; readonly signers: bigint }> {
  const finalAt = await awaitFinal(network.chain.provider, request.block)
  const { certificate } = await awaitCertificate(network.coordinatorUrl, request.requestId, timeoutMs)
  const latencyMs = performance.now() - finalAt
  const gateway = contractAt(
    "DecryptionGateway",
    network.contracts.decryptionGateway,
    network.accounts.organiser,
  )
  const stored: string = await waitFor(
    async () => {
      const result: string = await gateway.getFunction("resultOf").staticCall(request.requestId)
      return result === "0x" ? null : result
    },
    { what: "the stored result", timeoutMs: 60_000, everyMs: 50 },
  )
  return { value: Number(BigInt(stored)), latencyMs, signers: BigInt(certificate.signers) }
}
