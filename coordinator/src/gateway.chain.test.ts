import type { AcceptancePolicy, PolicyEvidence } from "@twinlock/sdk/protocol/certificate"
import type { DecryptionResult } from "@twinlock/sdk/protocol/eip712"
import {
  type BatchBody,
  batchCertificateToBody,
  type CertifiedBody,
  certifiedToBody,
  resultToBody,
} from "@twinlock/sdk/protocol/http"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { rejectionCodeOf } from "../../test/support/codeOf.ts"
import { type AcceptingChain, startAcceptingChain } from "./acceptingChain.fixture.ts"
import { resultsOfBatch } from "./batches.ts"
import { isCheaper } from "./batchGas.ts"
import { createGateway } from "./gateway.ts"
import { closePeers, peer } from "./http.fixture.ts"
import { idOf } from "./submission.fixture.ts"

let chain: AcceptingChain
beforeAll(async () => {
  chain = await startAcceptingChain()
})
afterAll(() => {
  chain.stop()
  closePeers()
})

const batchOf = (results: readonly DecryptionResult[]): BatchBody => ({
  kind: "batch",
  results: results.map(resultToBody),
  certificate: batchCertificateToBody(chain.certify(results)),
})
const statesOf = async (results: readonly DecryptionResult[]) =>
  (await chain.gateway.requests(results.map(({ requestId }) => requestId))).map(({ state }) => state)
const withEvidence = (result: DecryptionResult, evidence: PolicyEvidence): CertifiedBody =>
  certifiedToBody({
    kind: "policy",
    result,
    certificate: { ...chain.certify([result]), leaves: 1, index: 0, path: [] },
    evidence,
  })
const policy = (change: Partial<AcceptancePolicy>): AcceptancePolicy => ({
  endorsements: 0,
  freshQuotes: 0,
  groupOnly: false,
  ...change,
})
const refusalOf = async (submission: Parameters<AcceptingChain["gateway"]["simulate"]>[0]) => {
  const error: unknown = await chain.gateway.simulate(submission).then(
    () => null,
    (cause: unknown) => cause,
  )
  return error === null ? "none" : chain.gateway.describe(error).split("(")[0]
}

test("one of two endpoints that answers is enough, whichever is dead from the first use on", async () => {
  const [live = ""] = chain.config.rpc
  const results = await chain.request([{}, {}])
  const items = resultsOfBatch(batchOf(results))
  const orders = [
    ["http://127.0.0.1:9", live],
    [live, "http://127.0.0.1:9"],
  ]
  for (const [i, rpc] of orders.entries()) {
    const gateway = createGateway({ ...chain.config, rpc }, chain.payer, () => {})
    const item = items[i]
    if (item === undefined) throw new Error("no result")
    for (let j = 0; j < 10; j++)
      expect(await gateway.requests([results[i]?.requestId as never])).toHaveLength(1)
    expect((await gateway.fulfil(item)).fulfilled).toEqual([item.result.requestId])
  }
})

test("an endpoint's error of its own is no word of a contract", async () => {
  const url = await peer(200, { jsonrpc: "2.0", id: 1, error: { code: -32000, message: "header not found" } })
  const gateway = createGateway({ ...chain.config, rpc: [url] }, chain.payer, () => {})
  expect(await rejectionCodeOf(() => gateway.requests([idOf(1)]))).toBe("RPC_UNAVAILABLE")
  expect(await rejectionCodeOf(() => gateway.key())).toBe("RPC_UNAVAILABLE")
})

describe("the contracts take what is signed here", () => {
  test("a batch in one transaction, with gas for every callback", async () => {
    const results = await chain.request([{}, { callbackGas: 2_000_000 }, {}, { callbackGas: 2_000_000 }, {}])
    const batch = batchOf(results)
    expect(await refusalOf(batch)).toBe("none")
    await chain.gateway.fulfilMany(batch)
    expect(await statesOf(results)).toEqual(new Array(5).fill("fulfilled"))
  })

  test("every result of a batch alone, with its path", async () => {
    const results = await chain.request([{}, {}, {}])
    for (const item of resultsOfBatch(batchOf(results))) await chain.gateway.fulfil(item)
    expect(await statesOf(results)).toEqual(new Array(3).fill("fulfilled"))
  })

  test("the batch of a settled request and of one that needs evidence", async () => {
    const results = await chain.request([{}, { policy: policy({ endorsements: 1 }) }, {}])
    const [first] = resultsOfBatch(batchOf(results))
    if (first === undefined) throw new Error("no result")
    await chain.gateway.fulfil(first)
    await chain.gateway.fulfilMany(batchOf(results))
    expect(await statesOf(results)).toEqual(["fulfilled", "demanding", "fulfilled"])
  })

  test("more than a transaction's gas: the rest waits for the next", async () => {
    const results = await chain.request(new Array(5).fill({ callbackGas: 5_000_000 }))
    await chain.gateway.fulfilMany(batchOf(results))
    await chain.gateway.fulfilMany(batchOf(results))
    expect(await statesOf(results)).toEqual(new Array(5).fill("fulfilled"))
  })

  test("a batch where it costs less than its results alone, also with what it skips", async () => {
    const results = await chain.request(new Array(12).fill({}))
    const items = resultsOfBatch(batchOf(results))
    let alone = 0n
    for (const item of items.slice(0, 8)) {
      const { transaction, fulfilled } = await chain.gateway.fulfil(item)
      expect(fulfilled).toEqual([item.result.requestId])
      alone = await chain.gasOf(transaction)
    }
    const { transaction, fulfilled } = await chain.gateway.fulfilMany(batchOf(results))
    expect(fulfilled).toEqual(results.slice(8).map(({ requestId }) => requestId))
    // The rule would have it so for 4 of 12, with little to spare.
    expect([isCheaper(4, 12), isCheaper(3, 12)]).toEqual([true, false])
    const together = Number(await chain.gasOf(transaction)) / Number(4n * alone)
    expect(together).toBeLessThan(1)
    expect(together).toBeGreaterThan(0.85)
  })

  test("endorsements of a quorum, where the request does not exclude them", async () => {
    const [plain, strict] = await chain.request([{}, { policy: policy({ groupOnly: true }) }])
    if (plain === undefined || strict === undefined) throw new Error("no request")
    const endorsed = (result: DecryptionResult) => {
      const { keyId, epoch } = chain.certify([result])
      const signatures = chain.endorse([result], [1, 2, 4])
      const certificate = { keyId, epoch, signers: 0b1011n, leaves: 1, index: 0, path: [], signatures }
      return certifiedToBody({ kind: "endorsed", result, certificate })
    }
    expect(await refusalOf(endorsed(strict))).toBe("PolicyNotMet")
    await chain.gateway.fulfil(endorsed(plain))
    expect(await statesOf([plain, strict])).toEqual(["fulfilled", "pending"])
  })

  test("the evidence that a request demands, and nothing less", async () => {
    const [result] = await chain.request([{ policy: policy({ endorsements: 2, groupOnly: true }) }])
    if (result === undefined) throw new Error("no request")
    const [alone] = resultsOfBatch(batchOf([result]))
    if (alone === undefined) throw new Error("no result")
    expect(await refusalOf(alone)).toBe("PolicyNotMet")
    const one = { endorsers: 0b1000n, signatures: chain.endorse([result], [4]), quotes: [] }
    expect(await refusalOf(withEvidence(result, one))).toBe("TooFewEndorsements")
    const two = { endorsers: 0b1100n, signatures: chain.endorse([result], [3, 4]), quotes: [] }
    await chain.gateway.fulfil(withEvidence(result, two))
    expect(await statesOf([result])).toEqual(["fulfilled"])
  })
})
