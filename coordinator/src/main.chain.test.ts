/** A whole coordinator, from the posts of nodes to fulfilled requests on a chain. */
import { readdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { batchCertificateToBody, resultToBody, type SubmissionBody } from "@twinlock/sdk/protocol/http"
import { afterAll, beforeAll, expect, test } from "vitest"
import { type AcceptingChain, startAcceptingChain } from "./acceptingChain.fixture.ts"
import { resultsOfBatch } from "./batches.ts"
import { parseConfig } from "./config.ts"
import { post, temporary } from "./http.fixture.ts"
import { startCoordinator } from "./main.ts"

let chain: AcceptingChain
beforeAll(async () => {
  chain = await startAcceptingChain()
})
afterAll(() => chain.stop())

test("what nodes post is fulfilled: a batch in one transaction, and results that came alone", async () => {
  const directory = await temporary()
  const submitterKeyFile = join(directory, "key")
  await writeFile(submitterKeyFile, chain.payer)
  const coordinator = await startCoordinator(
    parseConfig({
      ...{ ...chain.config, submitterKeyFile, dataDirectory: directory, port: 0, logLevel: "silent" },
      ...{ startBlock: 0, nodes: [], executors: [], executorQuorum: 2, nodeQuorum: 3 },
    }),
  )
  const deliver = async (body: SubmissionBody) =>
    (await fetch(`${coordinator.url}/v1/certificates`, post(body))).status
  const statusOf = async (requestId: string) => {
    const answer = await fetch(`${coordinator.url}/v1/requests/${requestId}`)
    return (await answer.json()) as { readonly status: string; readonly transaction?: string }
  }
  try {
    const results = await chain.request(new Array(12).fill({}))
    const batchOf = (some: typeof results) => ({
      kind: "batch" as const,
      results: some.map(resultToBody),
      certificate: batchCertificateToBody(chain.certify(some)),
    })
    const together = batchOf(results.slice(0, 8))
    // Four nodes deliver the batch, and another one result by result.
    const alone = resultsOfBatch(batchOf(results.slice(8)))
    const statuses = await Promise.all([...[1, 2, 3, 4].map(() => deliver(together)), ...alone.map(deliver)])
    expect(statuses.filter((status) => status !== 200 && status !== 202)).toEqual([])
    const ids = results.map(({ requestId }) => requestId)
    await expect
      .poll(async () => (await Promise.all(ids.map(statusOf))).map(({ status }) => status), {
        timeout: 30_000,
      })
      .toEqual(new Array(12).fill("fulfilled"))
    const transactions = (await Promise.all(ids.map(statusOf))).map(({ transaction }) => transaction)
    expect(new Set(transactions.slice(0, 8)).size).toBe(1)
    expect(new Set(transactions).size).toBe(5)
    expect(await readdir(join(directory, "outbox"))).toEqual([])
    expect(await deliver(together)).toBe(200)
  } finally {
    await coordinator.stop()
  }
})
