import { afterEach, describe, expect, test } from "vitest"
import {
  address,
  appOf,
  bytes32,
  closePeers,
  codeOf,
  peer,
  post,
  relay,
  stalledPeer,
} from "../http.fixture.ts"
import { inputRoutes } from "./inputs.ts"

afterEach(closePeers)

describe("inputs", () => {
  const body = { list: "0x00", contract: address("ab"), user: address("cd") }
  const answer = (handle: string, signer: string) => ({
    handles: [bytes32(handle)],
    signer: address(signer),
    signature: `0x${"11".repeat(65)}`,
  })

  test("k equal answers are returned with their signatures", async () => {
    const executors = [await peer(200, answer("01", "e1")), await peer(200, answer("01", "e2"))]
    const response = await appOf(inputRoutes(executors, 2, relay)).request("/v1/inputs", post(body))
    const { handles, attestations } = (await response.json()) as {
      handles: string[]
      attestations: { signer: string }[]
    }
    expect(handles).toEqual([bytes32("01")])
    expect(attestations.map(({ signer }) => signer).sort()).toEqual([address("e1"), address("e2")])
  })

  test("EXECUTORS_DISAGREE where handles differ", async () => {
    const executors = [await peer(200, answer("01", "e1")), await peer(200, answer("02", "e2"))]
    expect(
      await codeOf(await appOf(inputRoutes(executors, 2, relay)).request("/v1/inputs", post(body))),
    ).toBe("EXECUTORS_DISAGREE")
  })

  test("INPUT_REFUSED carries the executor's reason", async () => {
    const refusal = { error: { code: "INPUT_REFUSED", message: "the proof does not hold" } }
    const response = await appOf(
      inputRoutes([await peer(422, refusal), await peer(422, refusal)], 2, relay),
    ).request("/v1/inputs", post(body))
    expect(response.status).toBe(422)
    expect(JSON.stringify(await response.json())).toContain("the proof does not hold")
  })

  test("EXECUTORS_UNREACHABLE where nobody answers in the agreed form", async () => {
    const executors = [await peer(200, { handles: "many" }), "http://127.0.0.1:1"]
    expect(
      await codeOf(await appOf(inputRoutes(executors, 2, relay)).request("/v1/inputs", post(body))),
    ).toBe("EXECUTORS_UNREACHABLE")
  })

  test("MALFORMED_BODY and BODY_TOO_LARGE before any executor is asked", async () => {
    const app = appOf(inputRoutes([], 2, relay))
    expect(await codeOf(await app.request("/v1/inputs", post({ ...body, extra: 1 })))).toBe("MALFORMED_BODY")
    expect(await codeOf(await app.request("/v1/inputs", { method: "POST", body: "{" }))).toBe(
      "MALFORMED_BODY",
    )
    const large = await app.request("/v1/inputs", { ...post({ ...body, list: `0x${"00".repeat(5000)}` }) })
    expect(await codeOf(large)).toBe("BODY_TOO_LARGE")
  })

  test("k answers are returned although another executor stalls", async () => {
    const executors = [
      await stalledPeer(),
      await peer(200, answer("01", "e1")),
      await peer(200, answer("01", "e2")),
    ]
    const response = await appOf(inputRoutes(executors, 2, relay)).request("/v1/inputs", post(body))
    expect(response.status).toBe(200)
  })

  test("a refusal is returned at once where the stalled rest cannot make k", async () => {
    const refusal = { error: { code: "INPUT_REFUSED", message: "the proof does not hold" } }
    const executors = [await stalledPeer(), await peer(422, refusal)]
    const response = await appOf(inputRoutes(executors, 2, relay)).request("/v1/inputs", post(body))
    const { error } = (await response.json()) as { error: { code: string; causes: { code: string }[] } }
    expect(error.code).toBe("INPUT_REFUSED")
    expect(error.causes.map(({ code }) => code)).toEqual(["INPUT_REFUSED", "PEER_SILENT"])
  })
})
