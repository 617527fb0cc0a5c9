import { createHash } from "node:crypto"
import { mkdtemp, readdir } from "node:fs/promises"
import { createServer } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { toHex } from "@twinlock/sdk/protocol/codec"
import { blobPutDigest, type CertificatesRequest, SIGNATURE_HEADER } from "@twinlock/sdk/protocol/http"
import { type Address, type Digest, parseDigest, type RequestId } from "@twinlock/sdk/protocol/ids"
import { addressOfSecretKey, signDigest } from "@twinlock/sdk/protocol/signature"
import { afterEach, describe, expect, test } from "vitest"
import { seededRng } from "../../test/support/seededRng.ts"
import { createApp, type Route } from "./app.ts"
import { createBlobStore } from "./blobStore.ts"
import { parseConfig } from "./config.ts"
import type { Gateway, RequestState } from "./gateway.ts"
import { createOutbox } from "./outbox.ts"
import { createResultCache } from "./resultCache.ts"
import { blobRoutes } from "./routes/blobs.ts"
import { certificateRoutes } from "./routes/certificates.ts"
import { inputRoutes } from "./routes/inputs.ts"
import { userDecryptionRoutes } from "./routes/userDecryptions.ts"
import { createSubmitter } from "./submitter.ts"

const appOf = (...routes: Route[]) => createApp({ bodyBytes: 4096, routes, onError: () => {} })
const bytes32 = (byte: string) => `0x${byte.repeat(32)}` as const
const address = (byte: string) => `0x${byte.repeat(20)}` as const
const codeOf = async (response: Response) =>
  ((await response.json()) as { error: { code: string } }).error.code
const temporary = () => mkdtemp(join(tmpdir(), "twinlock-coordinator-"))
const relay = { fetch, timeoutMs: 2000, maxBytes: 65_536 }
const post = (body: unknown) => ({
  method: "POST",
  body: JSON.stringify(body),
  headers: { "content-type": "application/json" },
})

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

/** A peer's HTTP server that always answers the same. */
async function peer(status: number, answer: unknown): Promise<string> {
  const server = createServer((_, response) =>
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(answer)),
  )
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()))
  closers.push(() => server.close())
  const at = server.address()
  return `http://127.0.0.1:${typeof at === "object" && at !== null ? at.port : 0}`
}

describe("blobs", () => {
  const key = seededRng("node")(32)
  const content = new TextEncoder().encode("public words")
  const name = createHash("sha256").update(content).digest("hex")
  const digest = parseDigest(`0x${name}`)
  const put = (
    body: Uint8Array,
    signed: { digest: Digest; size: number } = { digest, size: content.length },
    secret = key,
  ) => ({
    method: "PUT",
    body: body as Uint8Array<ArrayBuffer>,
    headers: {
      "content-length": String(body.length),
      [SIGNATURE_HEADER]: toHex(signDigest(blobPutDigest(signed.digest, signed.size), secret)),
    },
  })
  const scene = async () => {
    const directory = await temporary()
    const live = new Set<Address>([addressOfSecretKey(key)])
    return {
      directory,
      app: appOf(
        blobRoutes(await createBlobStore(directory, 1024), 1024, async (signer) => live.has(signer)),
      ),
    }
  }

  test("a registered signer's blob is served byte for byte", async () => {
    const { app } = await scene()
    expect((await app.request(`/v1/blobs/${name}`, put(content))).status).toBe(204)
    expect(new Uint8Array(await (await app.request(`/v1/blobs/${name}`)).arrayBuffer())).toEqual(content)
  })

  test("BLOB_DIGEST_MISMATCH leaves nothing behind", async () => {
    const { app, directory } = await scene()
    const response = await app.request(`/v1/blobs/${name}`, put(new TextEncoder().encode("other  words")))
    expect(await codeOf(response)).toBe("BLOB_DIGEST_MISMATCH")
    expect(await codeOf(await app.request(`/v1/blobs/${name}`))).toBe("BLOB_NOT_FOUND")
    expect(await readdir(join(directory, "incoming"))).toEqual([])
  })

  test("BLOB_UNAUTHORISED for a signer that is not live, or a signature over another size", async () => {
    const { app } = await scene()
    expect(
      await codeOf(await app.request(`/v1/blobs/${name}`, put(content, undefined, seededRng("mallory")(32)))),
    ).toBe("BLOB_UNAUTHORISED")
    expect(await codeOf(await app.request(`/v1/blobs/${name}`, put(content, { digest, size: 1 })))).toBe(
      "BLOB_UNAUTHORISED",
    )
  })

  test("BLOB_TOO_LARGE by its announced size", async () => {
    const { app } = await scene()
    expect(await codeOf(await app.request(`/v1/blobs/${name}`, put(new Uint8Array(1025))))).toBe(
      "BLOB_TOO_LARGE",
    )
  })
})

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
})

describe("user decryptions", () => {
  const permit = {
    user: address("01"),
    transportKeyHash: bytes32("02"),
    contracts: [address("03")],
    notBefore: "1",
    notAfter: "2",
    nonce: "0",
    chainId: "31337",
    extra: "0x",
  }
  const body = {
    keyId: bytes32("aa"),
    permit,
    signature: `0x${"11".repeat(65)}`,
    transportKey: "0x00",
    handles: [{ handle: bytes32("04"), contract: address("03") }],
  }
  const answer = (party: number) => ({
    keyId: bytes32("aa"),
    epoch: 1,
    party,
    sealedShares: [
      { handle: bytes32("04"), sessionId: bytes32("05"), sealed: "0x00", signature: `0x${"11".repeat(65)}` },
    ],
  })

  test("all answers are returned, not only a quorum of them", async () => {
    const nodes = await Promise.all([1, 2, 3, 4].map((party) => peer(200, answer(party))))
    const response = await appOf(userDecryptionRoutes(nodes, 3, relay)).request(
      "/v1/user-decryptions",
      post(body),
    )
    const { responses } = (await response.json()) as { responses: { party: number }[] }
    expect(responses.map(({ party }) => party).sort()).toEqual([1, 2, 3, 4])
  })

  test("NODES_REFUSED names each node's own code", async () => {
    const refusal = { error: { code: "NOT_ALLOWED_FOR_USER", message: "access control says no" } }
    const nodes = await Promise.all([1, 2, 3, 4].map(() => peer(403, refusal)))
    const response = await appOf(userDecryptionRoutes(nodes, 3, relay)).request(
      "/v1/user-decryptions",
      post(body),
    )
    const { error } = (await response.json()) as { error: { code: string; causes: { code: string }[] } }
    expect(error.code).toBe("NODES_REFUSED")
    expect(error.causes.map(({ code }) => code)).toEqual(Array(4).fill("NOT_ALLOWED_FOR_USER"))
  })
})

describe("certificates", () => {
  const requestId = bytes32("99") as RequestId
  const item = {
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

  async function scene(behaviour: { simulate?: "refuse"; fulfil?: "refuse" | "fail-once" }) {
    let state: RequestState = "pending"
    let failures = behaviour.fulfil === "fail-once" ? 1 : 0
    const refusal = new Error("SignerNotLive")
    const gateway: Gateway = {
      status: async () => state,
      simulate: async () => {
        if (behaviour.simulate === "refuse") throw refusal
      },
      fulfil: async () => {
        if (behaviour.fulfil === "refuse") throw refusal
        if (failures-- > 0) throw new Error("connection lost")
        state = "fulfilled"
        return parseDigest(bytes32("77"))
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
      outbox: await createOutbox(directory),
      onResult: (result) => void results.push(result),
    })
    const app = appOf(certificateRoutes({ submitter, gateway, results: createResultCache(2) }))
    return { app, submitter, results, directory }
  }

  test("a certificate is submitted and its request reads as fulfilled", async () => {
    const { app, submitter, results } = await scene({})
    expect((await app.request("/v1/certificates", post(item))).status).toBe(202)
    await submitter.flush()
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
    const { app, submitter, results, directory } = await scene({ fulfil: "fail-once" })
    await app.request("/v1/certificates", post(item))
    await submitter.flush()
    expect(results).toContain("fulfilled")
    expect(results[0]).toBe("retry")
    expect((await readdir(directory)).filter((file) => file.endsWith(".json"))).toEqual([])
  })
})

test("configuration: unknown keys and bad values are fatal and named", () => {
  expect(() => parseConfig({ port: 99_999, surprise: true })).toThrow(/surprise/)
  expect(() => parseConfig({ port: 99_999 })).toThrow(/port/)
})
