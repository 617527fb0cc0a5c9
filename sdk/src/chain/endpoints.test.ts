import { describe, expect, test } from "vitest"
import { codeOf, rejectionCodeOf } from "../../../test/support/codeOf.ts"
import { type FakeChain, fakeDeployment, fakeEndpoint } from "../../../test/support/fakeChain.ts"
import { tagHash } from "../protocol/codec.ts"
import { createEndpoints } from "./endpoints.ts"

const answers = { "nodeRegistry.liveUntil": () => [77] } as const
const honest: FakeChain = { answers }
const connect = (...chains: FakeChain[]) =>
  createEndpoints(chains.map(fakeEndpoint), 31337n, () => 1_000_000n)
const signer = fakeDeployment.coprocessor

async function read(...chains: FakeChain[]): Promise<string> {
  const endpoints = connect(...chains)
  const { Interface } = await import("ethers")
  const { nodeRegistryAbi } = await import("./abi.ts")
  const codec = new Interface(nodeRegistryAbi as never)
  const call = codec.encodeFunctionData("liveUntil", [signer]) as `0x${string}`
  return endpoints.call(fakeDeployment.nodeRegistry, call, await connect(honest, honest).head())
}

describe("head", () => {
  test("is the newest finalised block that all endpoints know", async () => {
    expect(await connect(honest, { ...honest, finalised: 98 }).head()).toEqual({
      number: 98n,
      hash: tagHash("main 98"),
      timestamp: 1_000_000n,
    })
  })

  test("needs two endpoints that serve one chain and one history", async () => {
    expect(codeOf(() => connect(honest))).toBe("ENDPOINTS_TOO_FEW")
    const rejects = (...chains: FakeChain[]) => rejectionCodeOf(() => connect(...chains).head())
    expect(await rejects(honest, { ...honest, down: true })).toBe("ENDPOINTS_UNAVAILABLE")
    expect(await rejects(honest, { ...honest, fork: "other" })).toBe("ENDPOINTS_DISAGREE")
    expect(await rejects(honest, honest, { ...honest, fork: "other" })).toBe("ENDPOINTS_DISAGREE")
    expect(await rejects(honest, { ...honest, chainId: 1n })).toBe("ENDPOINT_WRONG_CHAIN")
    expect(await rejects(honest, honest, { ...honest, down: true })).toBe("none")
  })

  test("is refused where it is hours old", async () => {
    const old = { ...honest, timestamp: 1_000_000 - 7201 }
    expect(await rejectionCodeOf(() => connect(old, old).head())).toBe("ENDPOINTS_STALE")
  })
})

describe("calls", () => {
  test("return what two endpoints answer", async () => {
    expect(BigInt(await read(honest, honest))).toBe(77n)
    expect(BigInt(await read(honest, honest, { ...honest, down: true }))).toBe(77n)
  })

  test("are refused where any endpoint answers otherwise", async () => {
    const lying = { answers: { "nodeRegistry.liveUntil": () => [78] } }
    expect(await rejectionCodeOf(() => read(honest, lying))).toBe("ENDPOINTS_DISAGREE")
    expect(await rejectionCodeOf(() => read(honest, honest, lying))).toBe("ENDPOINTS_DISAGREE")
  })

  test("are refused where only one endpoint answers", async () => {
    expect(await rejectionCodeOf(() => read(honest, { ...honest, down: true }))).toBe("ENDPOINTS_UNAVAILABLE")
  })

  test("report a revert that all endpoints see, and a disagreement about it", async () => {
    const reverting = { answers: { "nodeRegistry.liveUntil": () => null } }
    expect(await rejectionCodeOf(() => read(reverting, reverting))).toBe("CALL_REVERTED")
    expect(await rejectionCodeOf(() => read(honest, reverting))).toBe("ENDPOINTS_DISAGREE")
  })
})

test("logs are compared, too", async () => {
  const event = (before: number): FakeChain => ({
    answers,
    events: [{ contract: "coprocessor", name: "PermitsInvalidated", values: [signer, before] }],
  })
  const filter = { address: fakeDeployment.coprocessor, topics: [], fromBlock: 0n }
  const head = await connect(honest, honest).head()
  expect(await connect(event(1), event(1)).logs(filter, head)).toHaveLength(1)
  expect(await rejectionCodeOf(() => connect(event(1), event(2)).logs(filter, head))).toBe(
    "ENDPOINTS_DISAGREE",
  )
  expect(await rejectionCodeOf(() => connect(event(1), honest).logs(filter, head))).toBe("ENDPOINTS_DISAGREE")
})
