/** Decryptions of one small sum each: an encrypted number plus a clear one, a fresh ciphertext every time. */
import { randomInt } from "node:crypto"
import { encrypt, parseAddress } from "@twinlock/sdk"
import { RAW_BLOCK_BYTES } from "@twinlock/sdk/protocol/fheType"
import { BASE_FEE_WEI, contractAt, sent } from "../network/contracts.ts"
import { waitFor } from "../network/waitFor.ts"
import { awaitCertificate, awaitFinal } from "./certified.ts"
import { deployExample } from "./deployExample.ts"
import type { Setting } from "./setting.ts"

/** `base` is known to this side only. */
export type Sums = { readonly address: string; readonly base: number }

export type SumRequest = {
  readonly requestId: string
  readonly handle: string
  readonly block: number
  readonly expected: number
}

export type OpenedSum = { readonly value: number; readonly latencyMs: number; readonly signers: bigint }

/** Deploys the example and gives it its encrypted summand: one proven input. */
export async function openSums(setting: Setting): Promise<Sums> {
  const { network, client, report } = setting
  const { coprocessor, decryptionGateway } = network.contracts
  const address = await deployExample(setting, "EncryptedSum", [coprocessor, decryptionGateway])
  const organiser = network.accounts.organiser
  const base = randomInt(1, 30_000)
  await report.step(
    "sums.prove",
    "an encrypted number for further decryptions is proven and accepted",
    async () => {
      const values = [{ type: "uint16", value: base }] as const
      const { input } = await encrypt(client, {
        contract: parseAddress(address),
        user: parseAddress(organiser.address),
        values,
      })
      await sent(contractAt("EncryptedSum", address, organiser).getFunction("setBase").send(input))
    },
  )
  return { address, base }
}

/** Computes base + addend on ciphertexts and requests the sum. */
export async function requestSum(
  { network }: Setting,
  { address, base }: Sums,
  addend: number,
): Promise<SumRequest> {
  const contract = contractAt("EncryptedSum", address, network.accounts.organiser)
  await sent(contract.getFunction("compute").send(addend))
  const receipt = await sent(contract.getFunction("reveal").send({ value: BASE_FEE_WEI }))
  for (const log of receipt.logs) {
    const parsed = contract.interface.parseLog(log)
    if (parsed?.name === "SumRequested")
      return {
        requestId: parsed.args["requestId"],
        handle: parsed.args["sum"],
        block: receipt.blockNumber,
        expected: (base + addend) % 65_536,
      }
  }
  throw new Error("nothing was requested")
}

/** Waits until both executors' commitment is final. */
export async function awaitCommitment({ network }: Setting, handles: readonly string[]): Promise<void> {
  const commitments = contractAt(
    "CiphertextCommitments",
    network.contracts.ciphertextCommitments,
    network.accounts.organiser,
  )
  await waitFor(
    async () => {
      const finals = await Promise.all(
        handles.map((handle) =>
          commitments.getFunction("finalOf").staticCall(handle, { blockTag: "finalized" }),
        ),
      )
      return finals.every(({ leaf }) => BigInt(leaf) !== 0n)
    },
    { what: "both executors' commitments", timeoutMs: 240_000, everyMs: 20 },
  )
}

/** Waits for the certificate, and until the gateway stored the result. Latency counts from the last final condition. */
export async function awaitSum(
  setting: Setting,
  request: SumRequest,
  timeoutMs = 120_000,
): Promise<OpenedSum> {
  const { network } = setting
  await awaitCommitment(setting, [request.handle])
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

/** Mask words of a uint16's blob (raw words) that are not zero: a ciphertext that needs no key has none. */
export async function maskWordsOf({ network }: Setting, handle: string): Promise<number> {
  const commitments = contractAt(
    "CiphertextCommitments",
    network.contracts.ciphertextCommitments,
    network.accounts.organiser,
  )
  const voted = commitments.getEvent("CommitmentVoted")
  const [event] = await commitments.queryFilter(voted(handle), Number(network.deployment.startBlock))
  const parsed = event === undefined ? null : commitments.interface.parseLog(event)
  const digest = String(parsed?.args["commitment"].squashedDigest ?? "")
  const response = await fetch(new URL(`/v1/blobs/${digest.slice(2)}`, network.coordinatorUrl))
  const bytes = new Uint8Array(await response.arrayBuffer())
  let nonZero = 0
  for (let at = 0; at < bytes.length; at += 16) {
    const isBody = (at % RAW_BLOCK_BYTES) / 16 === 4096
    if (!isBody && bytes.subarray(at, at + 16).some((byte) => byte !== 0)) nonZero += 1
  }
  return nonZero
}
