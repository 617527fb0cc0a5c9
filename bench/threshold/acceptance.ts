/** Every plaintext must be right, and certificates must convince the contract: a fast wrong answer is no figure. */
import { contractAt } from "@twinlock/devnet/network/contracts"
import type { Asked } from "../../test/support/cluster/load.ts"
import { verification } from "../../test/support/cluster/submission.ts"
import type { Cluster } from "./cluster.ts"

/**
 * Whatever was asked so far is fulfilled on chain: results that the gateway refuses would stay open, and be no result.
 * @throws Error with how many are not
 */
export async function checkFulfilled({ coordinator, load }: Cluster): Promise<void> {
  const [certified, fulfilled] = [coordinator.delivered.size, await load.fulfilled()]
  if (fulfilled < certified)
    throw new Error(`${certified - fulfilled} of ${certified} results are not fulfilled on chain`)
}

/** @param sample certificates that the verifier judges, spread over all. @throws Error naming the first bad result */
export async function checkResults(
  { base, contracts, coordinator }: Cluster,
  asked: readonly Asked[],
  sample: number,
): Promise<void> {
  const verifier = contractAt("DecryptionVerifier", contracts.decryptionVerifier, base.accounts.organiser)
  const every = Math.max(1, Math.floor(asked.length / sample))
  for (const [i, { requestId, handle, value }] of asked.entries()) {
    const found = coordinator.delivered.get(requestId)
    if (found === undefined) throw new Error(`request ${requestId} has no certificate`)
    const { result, submission } = found
    if (result.handles.join() !== handle || BigInt(result.plaintexts) !== value)
      throw new Error(`request ${requestId} was opened to ${result.plaintexts}, want ${value} of ${handle}`)
    if (i % every !== 0 || submission.kind === "policy") continue
    const { method, args } = verification(submission)
    await verifier.getFunction(method).staticCall(...args)
  }
}
