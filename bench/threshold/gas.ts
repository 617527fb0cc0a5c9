/** Gas of whole transactions that do nothing but verify what the committee certified. */
import { CHAIN_ID } from "@twinlock/devnet/network/anvil"
import { contractAt } from "@twinlock/devnet/network/contracts"
import { fromHex, taggedHash } from "@twinlock/sdk/protocol/codec"
import { partyIndexes, quorum, signersBitmap } from "@twinlock/sdk/protocol/committee"
import { hashDecryptionResult, hashResultBatch, typedDigest } from "@twinlock/sdk/protocol/eip712"
import type { BatchBody, ResultBody } from "@twinlock/sdk/protocol/http"
import { parseAddress, parseEpoch, parseRequestId } from "@twinlock/sdk/protocol/ids"
import { leafHash, rootOf } from "@twinlock/sdk/threshold/merkle"
import { type Call, verification } from "../../test/support/cluster/submission.ts"
import { type Figure, figure } from "../figure.ts"
import type { Cluster } from "./cluster.ts"
import type { Sample } from "./latency.ts"

const EPOCH = 1
const BATCH = 64

/** Of a certificate that nodes made, and of the largest batch. */
export async function gasFigures(cluster: Cluster, { delivered }: Sample): Promise<readonly Figure[]> {
  const { n, t } = cluster
  const { submission } = delivered
  if (submission.kind !== "group") throw new Error(`the first certificate is of kind ${submission.kind}`)
  const params = { n, t, type: "FheUint64", p: 50, signers: quorum({ t }) }
  const batch = batchOf(cluster, delivered.result)
  return [
    figure("gas.accept", await gasOf(cluster, verification(submission)), "gas", {
      ...params,
      results: 1,
      leaves: submission.certificate.leaves,
    }),
    figure("gas.accept_batched", (await gasOf(cluster, verification(batch))) / BATCH, "gas", {
      ...params,
      results: BATCH,
    }),
  ]
}

async function gasOf({ base, contracts, control }: Cluster, { method, args }: Call): Promise<number> {
  // Not the account of the load, whose nonces are counted elsewhere.
  const account = base.accounts.submitter
  const { to, data } = await contractAt("DecryptionVerifier", contracts.decryptionVerifier, account)
    .getFunction(method)
    .populateTransaction(...args)
  const sending = await account.signer.sendTransaction({ to, data })
  await control.mine()
  const receipt = await sending.wait()
  if (receipt?.status !== 1) throw new Error("the verifier did not accept the certificate")
  return Number(receipt.gasUsed)
}

/** Results like a real one, of other requests, under one signature of the group. */
function batchOf({ n, t, contracts, keyId, sign }: Cluster, like: ResultBody): BatchBody {
  const results = Array.from({ length: BATCH }, (_, i) => ({
    ...like,
    requestId: parseRequestId(taggedHash("bench/request", i)),
  }))
  const leaves = results.map((result) =>
    leafHash(hashDecryptionResult({ ...result, chainId: CHAIN_ID, plaintexts: fromHex(result.plaintexts) })),
  )
  const signers = signersBitmap(partyIndexes({ n }).slice(0, quorum({ t })))
  const epoch = parseEpoch(EPOCH)
  const domain = { chainId: CHAIN_ID, verifyingContract: parseAddress(contracts.decryptionVerifier) }
  const root = rootOf(leaves)
  const digest = typedDigest(domain, hashResultBatch({ keyId, epoch, signers, root, leaves: BATCH }))
  const { r, s } = sign(digest)
  return {
    kind: "batch",
    results,
    certificate: { keyId, epoch, signers: `${signers}`, r, s: `${s}` },
  }
}
