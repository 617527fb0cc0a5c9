import { readdir } from "node:fs/promises"
import type { CertificatesRequest } from "@twinlock/sdk/protocol/http"
import { parseAddress, parseDigest, type RequestId } from "@twinlock/sdk/protocol/ids"
import { describe, expect, test } from "vitest"
import { createGate } from "../gate.ts"
import type { Gateway } from "../gateway.ts"
import { address, appOf, bytes32, codeOf, post, temporary } from "../http.fixture.ts"
import { createOutbox } from "../outbox.ts"
import { createResultCache } from "../resultCache.ts"
import type { RequestState } from "../storedRequest.ts"
import { flush } from "../submission.fixture.ts"
import { createSubmitter } from "../submitter.ts"
import { certificateRoutes } from "./certificates.ts"

describe("certificates", () => {
  const requestId = bytes32("99") as RequestId
  const item = {
    kind: "group",
    result: {
      chainId: "31337",
      gateway: address("9a"),
      requestId,
      handles: [bytes32("04")],
      sessions: [bytes32("05")],
      plaintexts: bytes32("06"),
    },
    certificate: {
      keyId: bytes32("aa"),
      epoch: 1,
      signers: "7",
      leaves: 1,
      index: 0,
      path: [],
      r: address("0f"),
      s: "5",
    },
  } as unknown as CertificatesRequest

  type Behaviour = {
    readonly state?: RequestState
    readonly simulate?: "refuse" | "fail"
    readonly fulfil?: "refuse" | "fail-once"
  }

  async function scene(behaviour: Behaviour) {
    let state: RequestState = behaviour.state ?? "pending"
    let failures = behaviour.fulfil === "fail-once" ? 1 : 0
    const refusal = new Error("SignerNotLive")
    const gateway: Gateway = {
      serves: ({ chainId }) => chainId === "31337",
      requests: async (ids) =>
        ids.map(() => ({ state, requester: parseAddress(address("01")), callbackGas: 0n })),
      simulate: async () => {
        if (behaviour.simulate === "refuse") throw refusal
        if (behaviour.simulate === "fail") throw new Error("connection lost")
      },
      fulfil: async () => {
        if (behaviour.fulfil === "refuse") throw refusal
        if (failures-- > 0) throw new Error("connection lost")
        state = "fulfilled"
        return { transaction: parseDigest(bytes32("77")), fulfilled: [requestId] }
      },
      fulfilMany: async () => {
        throw new Error("no batch here")
      },
      isRefusal: (error) => error === refusal,
      describe: () => "SignerNotLive(1, 0)",
      isLive: async () => true,
      key: async () => null,
    }
    const directory = await temporary()
    const results: string[] = []
    const submitter = createSubmitter({
      gateway,
      outbox: await createOutbox(directory, 10, () => {}),
      atOnce: 1,
      now: () => 0,
      onResult: (result) => void results.push(result),
    })
    const app = appOf(
      certificateRoutes({
        ...{ submitter, gateway, results: createResultCache(2) },
        gates: {
          bodies: createGate({ atWork: 2, waiting: 0, perSource: 2 }),
          work: createGate({ atWork: 1, waiting: 0, perSource: 1 }),
          questions: createGate({ atWork: 1, waiting: 0, perSource: 1 }),
        },
        bodyMs: 100,
        sourceOf: () => "one",
      }),
    )
    return { app, submitter, gateway, results, directory }
  }

  test("a certificate is submitted and its request reads as fulfilled", async () => {
    const { app, submitter, results } = await scene({})
    expect((await app.request("/v1/certificates", post(item))).status).toBe(202)
    await flush(submitter)
    expect(results[0]).toBe("fulfilled")
    expect(await (await app.request(`/v1/requests/${requestId}`)).json()).toMatchObject({
      status: "fulfilled",
      transaction: bytes32("77"),
      result: { plaintexts: bytes32("06") },
    })
  })

  test("NOT_SUBMITTABLE tells the contract's typed error", async () => {
    const { app } = await scene({ simulate: "refuse" })
    const response = await app.request("/v1/certificates", post(item))
    expect(await response.json()).toMatchObject({
      error: { code: "NOT_SUBMITTABLE", message: "SignerNotLive(1, 0)" },
    })
  })

  test("what an outage stopped is submitted later, also by a new process", async () => {
    const { app, submitter, gateway, results, directory } = await scene({ fulfil: "fail-once" })
    await app.request("/v1/certificates", post(item))
    await flush(submitter)
    expect(results).toEqual(["retry"])
    const restarted = createSubmitter({
      gateway,
      outbox: await createOutbox(directory, 10, () => {}),
      atOnce: 1,
      now: () => 0,
      onResult: (result) => void results.push(result),
    })
    await flush(restarted)
    expect(results).toEqual(["retry", "fulfilled"])
    expect(await readdir(directory)).toEqual([])
  })

  test("a certificate of a settled request is not shown: nobody judged it", async () => {
    const { app } = await scene({ state: "fulfilled" })
    const response = await app.request("/v1/certificates", post(item))
    expect(response.status).toBe(200)
    expect(await response.json()).toEqual({ status: "nothing waits" })
    expect(await (await app.request(`/v1/requests/${requestId}`)).json()).toEqual({ status: "pending" })
  })

  test("one source does not keep the coordinator busy: what it cannot take now is to come again", async () => {
    const { app } = await scene({})
    const responses = await Promise.all([1, 2].map(() => app.request("/v1/certificates", post(item))))
    expect(responses.map(({ status }) => status).sort()).toEqual([202, 429])
    expect((await app.request("/v1/certificates", post(item))).status).toBe(202)
  })

  test("bodies that do not come hold places for a time only, and nobody's work", async () => {
    const { app } = await scene({})
    const never = () => ({ ...post(item), body: new ReadableStream(), duplex: "half" }) as RequestInit
    const silent = [1, 2].map(() => app.request("/v1/certificates", never()))
    expect((await app.request("/v1/certificates", post(item))).status).toBe(429)
    const codes = await Promise.all(silent.map(async (response) => codeOf(await response)))
    expect(codes).toEqual(["BODY_TOO_SLOW", "BODY_TOO_SLOW"])
    expect((await app.request("/v1/certificates", post(item))).status).toBe(202)
  })

  test("a body of unknown length is refused unread", async () => {
    const { app } = await scene({})
    const { method } = post(item)
    const endless = { method, body: new ReadableStream(), duplex: "half" } as RequestInit
    const response = await app.request("/v1/certificates", endless)
    expect([response.status, await codeOf(response)]).toEqual([400, "MALFORMED_BODY"])
  })

  test("questions about requests are answered a few at a time", async () => {
    const { app } = await scene({})
    const responses = await Promise.all([1, 2].map(() => app.request(`/v1/requests/${requestId}`)))
    expect(responses.map(({ status }) => status)).toEqual([200, 429])
  })

  test.each([
    ["s of 2^256", { ...item, certificate: { ...item.certificate, s: `${2n ** 256n}` } }],
    ["signers of 78 nines", { ...item, certificate: { ...item.certificate, signers: "9".repeat(78) } }],
    ["a word too few", { ...item, result: { ...item.result, plaintexts: "0x" } }],
    ["a session too many", { ...item, result: { ...item.result, sessions: [bytes32("05"), bytes32("05")] } }],
    ["an index beyond the leaves", { ...item, certificate: { ...item.certificate, index: 1 } }],
    ["a path that is too long", { ...item, certificate: { ...item.certificate, path: [bytes32("05")] } }],
    ["no leaves", { ...item, certificate: { ...item.certificate, leaves: 0 } }],
  ])("%s is malformed, whatever the chain would say", async (_, body) => {
    const { app } = await scene({ simulate: "fail" })
    const response = await app.request("/v1/certificates", post(body))
    expect([response.status, await codeOf(response)]).toEqual([400, "MALFORMED_BODY"])
  })

  test("a result of another chain is not submittable here", async () => {
    const { app } = await scene({})
    const body = { ...item, result: { ...item.result, chainId: "1" } }
    expect(await codeOf(await app.request("/v1/certificates", post(body)))).toBe("NOT_SUBMITTABLE")
  })

  test("RPC_UNAVAILABLE, and nothing is kept, where the contract cannot be asked", async () => {
    const { app, directory } = await scene({ simulate: "fail" })
    const response = await app.request("/v1/certificates", post(item))
    expect(response.status).toBe(502)
    expect(await codeOf(response)).toBe("RPC_UNAVAILABLE")
    expect(await readdir(directory)).toEqual([])
  })
})
