import { isError } from "ethers"
import { afterEach, describe, expect, test } from "vitest"
import { Endpoints } from "./endpoints.ts"
import { closePeers, listen, peer, stalledPeer } from "./http.fixture.ts"

afterEach(closePeers)

const TIMEOUT_MS = 300
const over = (...urls: string[]) => new Endpoints(urls, 31337, { timeoutMs: TIMEOUT_MS, maxBytes: 4096 })
const says = (result: unknown) => peer(200, { jsonrpc: "2.0", id: 1, result })
const refuses = (message: string, data?: string) =>
  peer(200, { jsonrpc: "2.0", id: 1, error: { code: -32000, message, data } })
/** Nothing listens on the port of discard. */
const DEAD = "http://127.0.0.1:9"
const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const start = performance.now()
  await work().catch(() => {})
  return performance.now() - start
}

describe("a question", () => {
  test.each([
    ["is dead", async () => DEAD],
    ["never answers", stalledPeer],
    ["limits its users", () => peer(429, "slow down")],
    ["sends no JSON-RPC", () => says(undefined)],
    ["sends too much", () => says("0".repeat(5000))],
    ["has an error of its own", () => refuses("header not found")],
    ["does not have what is asked for", () => says(null)],
  ])("goes to the next endpoint where one %s", async (_, bad) => {
    const endpoints = over(await bad(), await says("0x7"))
    for (let i = 0; i < 3; i++) expect(await endpoints.send("eth_blockNumber", [])).toBe("0x7")
  })

  test("is answered with the contract's own refusal, whatever others would say", async () => {
    const endpoints = over(await refuses("execution reverted", "0x12345678"), await says("0x"))
    await expect(endpoints.call({ to: null, data: "0x" })).rejects.toSatisfy(
      (error) => isError(error as Error, "CALL_EXCEPTION") && error.data === "0x12345678",
    )
  })

  test("is answered with nothing where nobody has it, also beside an error", async () => {
    expect(await over(await refuses("busy"), await says(null)).send("eth_getBlockByHash", [])).toBeNull()
  })

  test("waits for a silent endpoint once, not every time", async () => {
    const endpoints = over(await stalledPeer(), await says("0x7"))
    expect(await timed(() => endpoints.send("eth_blockNumber", []))).toBeGreaterThan(TIMEOUT_MS * 0.9)
    expect(await timed(() => endpoints.send("eth_blockNumber", []))).toBeLessThan(TIMEOUT_MS / 2)
  })

  test("finds endpoints again that were all away at first", async () => {
    let isAway = true
    const url = await listen((_, response) => {
      response.writeHead(isAway ? 502 : 200).end(JSON.stringify({ jsonrpc: "2.0", id: 1, result: "0x7" }))
    })
    const endpoints = over(DEAD, url)
    await expect(endpoints.send("eth_blockNumber", [])).rejects.toThrow()
    isAway = false
    expect(await endpoints.send("eth_blockNumber", [])).toBe("0x7")
  })
})

describe("a transaction", () => {
  const send = (endpoints: Endpoints) => endpoints.send("eth_sendRawTransaction", ["0x"])

  test("is sent where one endpoint takes it, however the others refuse", async () => {
    const endpoints = over(DEAD, await refuses("insufficient funds"), await stalledPeer(), await says("0x7"))
    expect(await send(endpoints)).toBe("0x7")
  })

  test("that is refused waits for a silent endpoint once, not every time", async () => {
    const endpoints = over(await stalledPeer(), await refuses("replacement transaction underpriced"))
    const underpriced = () =>
      expect(send(endpoints)).rejects.toSatisfy((error) => isError(error as Error, "REPLACEMENT_UNDERPRICED"))
    await underpriced()
    expect(await timed(underpriced)).toBeLessThan(TIMEOUT_MS / 2)
  })

  test("fails without an answer where nobody gives one", async () => {
    await expect(send(over(DEAD, await stalledPeer()))).rejects.toThrow()
  })
})
