/** Facts of requests from the deployed contracts: what they cost in questions, and that none is lost or made up. */
import { toHex } from "@twinlock/sdk/protocol/codec"
import { parseAddress, parseRequestId, type RequestId } from "@twinlock/sdk/protocol/ids"
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest"
import { silentLogger } from "../telemetry/logger.ts"
import type { ChainView } from "./chainView.ts"
import { createContractReader } from "./contractReader.ts"
import { createEthersChainView } from "./ethersChainView.ts"
import { createEventReader } from "./eventReader.ts"
import type { RpcEndpoint } from "./jsonRpc.ts"
import { handleOf, type RequestChain, startRequestChain } from "./requestChain.fixture.ts"
import { createRpcPool } from "./rpcPool.ts"

// Deploys everything and sends hundreds of transactions, on whatever machine.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let chain: RequestChain
/** Methods asked so far. */
let asked: string[] = []

/** A node that has just started. */
function startView(): ChainView {
  const counted: RpcEndpoint = {
    name: "anvil",
    call(method, params, signal) {
      asked.push(method)
      return chain.anvil.endpoint.call(method, params, signal)
    },
  }
  const quiet = { logger: silentLogger, metrics: null }
  const pool = createRpcPool({ endpoints: [counted], timeoutMs: 30_000, ...quiet })
  return createEthersChainView({
    ...{ pool, contracts: chain.contracts, chainId: 31337n, deployedAt: 0n, logger: silentLogger },
    ...{ reader: createContractReader(pool), events: createEventReader(pool) },
    hint: { onHead: () => () => {} },
  })
}

beforeAll(async () => {
  chain = await startRequestChain()
})
afterAll(() => chain.anvil.stop())

describe("a view that follows the chain", () => {
  test("200 requests of one block: one question for each block's events, two for the facts", async () => {
    const view = startView()
    const handles = Array.from({ length: 200 }, (_, i) => handleOf(1_000 + i))
    await chain.finalise()
    const { number } = await view.head()
    const committed = await chain.commit(handles)
    const ids = await chain.request(handles.map((handle) => [handle]))
    await chain.finalise()
    const at = await view.head()
    asked = []
    expect(await view.requestsSince(number + 1n, at)).toEqual(ids)
    const blocks = Number(at.number - number)
    expect(asked).toEqual([
      ...Array.from({ length: blocks - 1 }, () => "eth_getBlockByNumber"),
      ...Array.from({ length: blocks }, () => "eth_getLogs"),
    ])
    asked = []
    const facts = await view.requestFacts(ids, at)
    // 602 inner calls, of which one question takes 512.
    expect(asked).toEqual(["eth_call", "eth_call"])
    for (const [i, id] of ids.entries()) {
      const found = facts.get(id)
      expect(found?.request).toMatchObject({ requestId: id, handles: [handles[i]], status: "open" })
      expect(found?.handles).toEqual([
        {
          handle: handles[i],
          allowedForDecryption: false,
          commitment: { leaf: expect.any(String), status: "final" },
          details: committed[i],
        },
      ])
    }
    asked = []
    await view.requestFacts(ids.slice(0, 100), at)
    expect(asked).toEqual(["eth_call"])
  })

  test("a request with 32 handles, one of them twice", async () => {
    const view = startView()
    const handles = Array.from({ length: 31 }, (_, i) => handleOf(5_000 + i))
    const list = [...handles, ...handles.slice(0, 1)]
    const committed = await chain.commit(handles.slice(0, 20))
    const [id] = await chain.request([list])
    await chain.finalise()
    const at = await view.head()
    await view.requestsSince(at.number - 4n, at)
    asked = []
    const facts = (await view.requestFacts([id as RequestId], at)).get(id as RequestId)
    expect(asked).toEqual(["eth_call"])
    expect(facts?.handles.map(({ handle }) => handle)).toEqual(list)
    expect(facts?.handles.map(({ details }) => details)).toEqual([
      ...committed,
      ...Array.from({ length: 11 }, () => null),
      committed[0],
    ])
    expect(facts?.request.blockHash).toBe(
      (
        (await chain.anvil.call(
          "eth_getBlockByNumber",
          `0x${facts?.request.blockNumber.toString(16)}`,
          false,
        )) as {
          hash: string
        }
      ).hash,
    )
  })
})

test("a node that has just started finds what it did not see", async () => {
  const handles = [handleOf(9_000), handleOf(9_001)]
  const committed = await chain.commit(handles)
  const ids = await chain.request([handles, handles])
  await chain.anvil.call("anvil_mine", "0x40")
  await chain.finalise()
  const view = startView()
  const at = await view.head()
  const unknown = parseRequestId(toHex(new Uint8Array(32).fill(9)))
  asked = []
  const facts = await view.requestFacts([...ids, unknown], at)
  expect(asked).toEqual(["eth_call", "eth_getLogs", "eth_call", "eth_getLogs"])
  expect(facts.get(unknown)).toBeNull()
  for (const id of ids) expect(facts.get(id)?.handles.map(({ details }) => details)).toEqual(committed)
  asked = []
  await view.requestFacts(ids, at)
  expect(asked).toEqual(["eth_call"])
})

test("facts are those of the block asked for", async () => {
  const view = startView()
  const handle = handleOf(9_500)
  const [id] = await chain.request([[handle]])
  await chain.finalise()
  const before = await view.head()
  await chain.commit([handle])
  await chain.finalise()
  const after = await view.head()
  const stateAt = async (at: typeof before) =>
    (await view.requestFacts([id as RequestId], at)).get(id as RequestId)?.handles[0]?.commitment.status
  expect([await stateAt(before), await stateAt(after), await stateAt(before)]).toEqual([
    "none",
    "final",
    "none",
  ])
})

test("registrations of many signers are one question, asked once per block", async () => {
  const view = startView()
  const at = await view.head()
  const signers = Array.from({ length: 15 }, (_, i) => parseAddress(`0x${`${10 + i}`.repeat(20)}`))
  asked = []
  const nodes = await view.nodes(signers, at)
  expect([nodes.size, ...new Set(nodes.values())]).toEqual([15, null])
  await view.nodes(signers.slice(3), at)
  expect(asked).toEqual(["eth_call"])
})
