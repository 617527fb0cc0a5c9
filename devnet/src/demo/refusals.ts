/** What nodes must not open: handles without permission, ciphertexts on one executor's word. */
import { BASE_FEE_WEI, contractAt, sent } from "../network/contracts.ts"
import { waitFor } from "../network/waitFor.ts"
import { readMetric } from "./metrics.ts"
import type { Setting } from "./setting.ts"
import { awaitSum, maskWordsOf, requestSum, type Sums } from "./sums.ts"
import type { Vote } from "./vote.ts"

const REFUSALS = "twinlock_refusals_total"
const SHARES = "twinlock_shares_released_total"
const SETTLE_MS = 1000

/** Runs `provoke` and waits until every node has refused with `code`; tells how many shares left meanwhile. */
async function watchRefusals(
  { network }: Setting,
  code: string,
  provoke: () => Promise<void>,
): Promise<{ readonly refusals: number; readonly shares: number }> {
  const read = (name: string, labels = {}) =>
    Promise.all(network.keyholders.map(({ url }) => readMetric(url, name, labels)))
  const [refusedBefore, sharesBefore] = [await read(REFUSALS, { code }), await read(SHARES)]
  await provoke()
  await waitFor(
    async () => (await read(REFUSALS, { code })).every((count, i) => count > (refusedBefore[i] ?? 0)),
    {
      what: `every node to refuse with ${code}`,
      timeoutMs: 60_000,
      everyMs: 100,
    },
  )
  // A share that leaves late would be a fault, too: two more polls of every node.
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)
  const [refusedAfter, sharesAfter] = [await read(REFUSALS, { code }), await read(SHARES)]
  return {
    refusals: refusedAfter.filter((count, i) => count > (refusedBefore[i] ?? 0)).length,
    shares: sum(sharesAfter) - sum(sharesBefore),
  }
}

export async function showRefusals(setting: Setting, vote: Vote, sums: Sums): Promise<void> {
  const { network, report } = setting
  const weight = vote.ballots[0]?.encrypted.handles[1]
  const gateway = contractAt(
    "DecryptionGateway",
    network.contracts.decryptionGateway,
    network.accounts.voter(1),
  )
  const acl = await report.step(
    "refusal.acl",
    "somebody asks for the public decryption of a ballot's weight",
    () =>
      watchRefusals(setting, "NOT_ALLOWED_FOR_DECRYPTION", async () => {
        const block = await network.chain.provider.getBlock("latest")
        await sent(
          gateway
            .getFunction("request")
            .send([weight], "0x00000000", 0, (block?.timestamp ?? 0) + 3600, { value: BASE_FEE_WEI }),
        )
      }),
  )
  report.check(
    "refusal.acl",
    acl.refusals === 4 && acl.shares === 0,
    `${acl.refusals} nodes: NOT_ALLOWED_FOR_DECRYPTION, ${acl.shares} shares left`,
  )

  const second = network.executors[1]
  if (second === undefined) throw new Error("there is no second executor")
  await second.stop()
  const requests: Awaited<ReturnType<typeof requestSum>>[] = []
  const lone = await report.step("refusal.commitment", "a ciphertext is committed by one executor only", () =>
    watchRefusals(setting, "COMMITMENT_NOT_FINAL", async () => {
      const request = await requestSum(setting, sums, 1234)
      requests.push(request)
      const commitments = contractAt(
        "CiphertextCommitments",
        network.contracts.ciphertextCommitments,
        network.accounts.organiser,
      )
      const voted = commitments.getEvent("CommitmentVoted")
      await waitFor(async () => (await commitments.queryFilter(voted(request.handle))).length === 1, {
        what: "the first executor's vote",
        timeoutMs: 60_000,
      })
    }),
  )
  report.check(
    "refusal.commitment",
    lone.refusals === 4 && lone.shares === 0,
    `${lone.refusals} nodes: COMMITMENT_NOT_FINAL, ${lone.shares} shares left`,
  )
  await report.step("refusal.second_executor", "the second executor comes back and commits", async () => {
    await second.start()
    const [request] = requests
    if (request === undefined) throw new Error("nothing was requested")
    const { value } = await awaitSum(setting, request, 180_000)
    const masks = await maskWordsOf(setting, request.handle)
    report.check(
      "refusal.lifted",
      value === request.expected && masks > 16_000,
      `with both commitments the sum is opened: ${value}; ${masks} mask words of its ciphertext are not zero`,
    )
  })
}
