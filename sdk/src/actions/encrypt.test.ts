import { AbiCoder } from "ethers"
import { describe, expect, test } from "vitest"
import { rejectionCodeOf } from "../../../test/support/codeOf.ts"
import { fakeDeployment } from "../../../test/support/fakeChain.ts"
import {
  crsFile,
  executorKeys,
  type FakeRoutes,
  fakeClient,
  fakeFetch,
  files,
  healthyAnswers,
  keyId,
  publicKeyFile,
  seatKeys,
  signingDomain,
} from "../../../test/support/fakeNetwork.ts"
import { handleDomainOf } from "../chain/deployments.ts"
import { fromHex, sha256Digest, tagHash, toHex, utf8ToBytes } from "../protocol/codec.ts"
import { hashInputAttestation, typedDigest } from "../protocol/eip712.ts"
import { isProtocolError } from "../protocol/errors.ts"
import { inputHandles } from "../protocol/handles.ts"
import type { InputsRequest } from "../protocol/http.ts"
import { type Handle, type Hex, parseAddress } from "../protocol/ids.ts"
import { addressOfSecretKey, signDigest } from "../protocol/signature.ts"
import { type EncryptParams, encrypt } from "./encrypt.ts"

const contract = parseAddress(`0x${"c".repeat(40)}`)
const user = parseAddress(`0x${"d".repeat(40)}`)
const params: EncryptParams = {
  contract,
  user,
  values: [
    { type: "uint8", value: 2 },
    { type: "uint16", value: 500n },
  ],
}

type Inputs = { handles: readonly Handle[]; attestations: readonly { signer: string; signature: Hex }[] }

/** What honest executors with these keys answer. */
function attest(body: unknown, keys: readonly Uint8Array[] = executorKeys): Inputs {
  const { list } = body as InputsRequest
  const domain = handleDomainOf(fakeDeployment)
  const bytes = fromHex(list)
  const handles = inputHandles(domain, { keyId, list: bytes, contract, user, fheTypes: [2, 3] })
  const { coprocessor } = fakeDeployment
  const listDigest = sha256Digest(bytes)
  const content = { keyId, coprocessor, contractAddress: contract, user, listDigest, handles }
  const digest = typedDigest(signingDomain, hashInputAttestation(content))
  const attestations = keys.map((key) => ({
    signer: addressOfSecretKey(key),
    signature: toHex(signDigest(digest, key)),
  }))
  return { handles, attestations }
}

const routes = (answer: (body: unknown) => unknown): FakeRoutes => ({ ...files, "POST /v1/inputs": answer })
const refusal = (answer: (body: unknown) => unknown, chain: Parameters<typeof fakeClient>[0] = {}) =>
  rejectionCodeOf(() => encrypt(fakeClient(chain, routes(answer)), params))

describe("encrypt", () => {
  test("gives handles and the proof that the contract takes", async () => {
    const encrypted = await encrypt(fakeClient({}, routes(attest)), params)
    const { handles, listDigest, signatures } = encrypted.input
    expect(handles).toEqual(encrypted.handles)
    expect(handles.map((handle) => handle.slice(-4))).toEqual(["0201", "0301"])
    expect(signatures).toHaveLength(2)
    const [decoded] = AbiCoder.defaultAbiCoder().decode(
      ["tuple(bytes32[],bytes32,bytes[])"],
      encrypted.inputProof,
    )
    expect(decoded.toArray(true)).toEqual([[...handles], listDigest, [...signatures]])
  })

  test("proves under metadata that binds contract, user, key and CRS", async () => {
    const seen: Uint8Array[] = []
    const prove = async ({ metadata }: { readonly metadata: Uint8Array }) => {
      seen.push(metadata)
      return utf8ToBytes("list")
    }
    await encrypt(fakeClient({}, routes(attest), { prove }), params)
    await encrypt(fakeClient({}, routes(attest), { prove }), params)
    expect(seen[0]).toEqual(seen[1])
    expect(seen[0]).toHaveLength(224)
    for (const part of [contract, user, keyId])
      expect(toHex(seen[0] ?? new Uint8Array())).toContain(part.slice(2))
  })

  test("nothing leaves for values out of range", async () => {
    const sent: unknown[] = []
    const client = fakeClient(
      {},
      routes((body) => sent.push(body)),
    )
    const bad = { ...params, values: [{ type: "uint8", value: 300 }] } as const
    expect(await rejectionCodeOf(() => encrypt(client, bad))).toBe("VALUE_OUT_OF_RANGE")
    expect(await rejectionCodeOf(() => encrypt(client, { ...params, values: [] }))).toBe("INPUT_SIZE")
    expect(sent).toEqual([])
  })
})

describe("the key", () => {
  test("is that of the client's own host, with its own files, where coordinators have those of several", async () => {
    const second = { publicKey: utf8ToBytes("second public key"), crs: utf8ToBytes("second CRS") }
    const [key] = (healthyAnswers()["keyRegistry.keyOf"]?.() ?? []) as (readonly unknown[])[]
    const [publicKeyAt, crsAt] = [6, 8]
    const secondKey = key?.map((field, at) =>
      at === publicKeyAt ? sha256Digest(second.publicKey) : at === crsAt ? sha256Digest(second.crs) : field,
    )
    const served = Object.fromEntries(
      Object.values(second).map((file) => [`GET /v1/blobs/${sha256Digest(file).slice(2)}`, () => file]),
    )
    const used: unknown[] = []
    const prove = async ({
      publicKey,
      crs,
    }: {
      readonly publicKey: Uint8Array
      readonly crs: Uint8Array
    }) => {
      used.push({ publicKey, crs })
      throw new Error("far enough")
    }
    for (const answers of [
      healthyAnswers(),
      { ...healthyAnswers(), "keyRegistry.keyOf": () => [secondKey] },
    ]) {
      const client = fakeClient({ answers }, { ...files, ...served }, { prove })
      await expect(encrypt(client, params)).rejects.toThrow("far enough")
    }
    expect(used).toEqual([{ publicKey: publicKeyFile, crs: crsFile }, second])
  })

  test("of a parameter set that this SDK does not have is not used, nor are its files asked for", async () => {
    const key = healthyAnswers()["keyRegistry.keyOf"]?.()?.[0] as readonly unknown[]
    const weak = key.map((field, i) => (i === 5 ? tagHash("weak parameters") : field))
    const asked: string[] = []
    const fetched: typeof fetch = async (input) => {
      asked.push(String(input))
      return new Response(null, { status: 500 })
    }
    const answers = { ...healthyAnswers(), "keyRegistry.keyOf": () => [weak] }
    const client = fakeClient({ answers }, {}, { fetch: fetched })
    expect(await rejectionCodeOf(() => encrypt(client, params))).toBe("PARAMETERS_UNKNOWN")
    expect(asked).toEqual([])
  })
})

describe("files", () => {
  test.each([
    [0, "PUBLIC_KEY_DIGEST_MISMATCH"],
    [1, "CRS_DIGEST_MISMATCH"],
  ])("nothing is proven under another file (%i)", async (which, code) => {
    const path = Object.keys(files)[which] ?? ""
    const proven: unknown[] = []
    const prove = async (job: unknown) => {
      proven.push(job)
      return new Uint8Array()
    }
    const client = fakeClient({}, { ...routes(attest), [path]: () => utf8ToBytes("malformed") }, { prove })
    expect(await rejectionCodeOf(() => encrypt(client, params))).toBe(code)
    expect(proven).toEqual([])
  })

  test.each<readonly [string, (crs: Uint8Array) => Uint8Array]>([
    ["with one bit changed", (crs) => crs.map((byte, at) => (at === crs.length - 1 ? byte ^ 1 : byte))],
    ["with two bytes exchanged", (crs) => Uint8Array.from([crs[1] ?? 0, crs[0] ?? 0, ...crs.subarray(2)])],
    ["one byte short", (crs) => crs.subarray(0, -1)],
    ["one byte long", (crs) => Uint8Array.from([...crs, 0])],
    ["without content", () => new Uint8Array()],
    ["that is the public key", () => publicKeyFile],
  ])("nothing is proven or sent under a CRS %s", async (_, change) => {
    const path = Object.keys(files)[1] ?? ""
    const used: unknown[] = []
    const use = (what: unknown): Uint8Array => {
      used.push(what)
      return new Uint8Array()
    }
    const served = { ...routes(use), [path]: () => change(crsFile) }
    const client = fakeClient({}, served, { prove: async (job) => use(job) })
    expect(await rejectionCodeOf(() => encrypt(client, params))).toBe("CRS_DIGEST_MISMATCH")
    expect(used).toEqual([])
    const honest = fakeClient({}, { ...routes(attest), [path]: () => crsFile.slice() })
    expect((await encrypt(honest, params)).handles).toHaveLength(2)
  })

  test("the error says where to read on", async () => {
    const path = Object.keys(files)[1] ?? ""
    const client = fakeClient({}, { ...routes(attest), [path]: () => utf8ToBytes("malformed") })
    const error = await encrypt(client, params).catch((caught: unknown) => caught)
    expect(isProtocolError(error) && error.detail).toMatchObject({
      docsPath: "sdk/README.md#crs_digest_mismatch",
    })
  })

  test("are fetched once and kept by digest", async () => {
    let fetched = 0
    const counted = Object.fromEntries(
      Object.entries(files).map(([path, serve]) => [
        path,
        (body: unknown) => {
          fetched += 1
          return serve(body)
        },
      ]),
    )
    const client = fakeClient({}, { ...routes(attest), ...counted })
    await encrypt(client, params)
    await encrypt(client, params)
    expect(fetched).toBe(2)
  })

  test("a spoilt cache is not used", async () => {
    const cache = { get: async () => utf8ToBytes("spoilt"), put: async () => {} }
    const jobs: Uint8Array[] = []
    const prove = async ({ publicKey }: { readonly publicKey: Uint8Array }) => {
      jobs.push(publicKey)
      return utf8ToBytes("list")
    }
    await encrypt(fakeClient({}, routes(attest), { cache, prove }), params)
    expect(jobs).toEqual([publicKeyFile])
  })

  test("another coordinator is asked where the first serves a wrong file or is down", async () => {
    const honest = fakeFetch(routes(attest))
    const fetch: typeof globalThis.fetch = async (input, init) => {
      const url = new URL(String(input))
      if (url.host === "down.test") throw new TypeError("refused")
      if (url.host === "lying.test") return new Response("lie")
      return honest(input, init)
    }
    const coordinators = ["http://down.test", "http://lying.test", "http://honest.test"]
    const client = fakeClient({}, {}, { fetch, coordinators })
    expect((await encrypt(client, params)).handles).toHaveLength(2)
  })
})

describe("attestations", () => {
  test("of k live executors are needed", async () => {
    const strangers = seatKeys.slice(0, 2)
    expect(await refusal((body) => attest(body, executorKeys.slice(0, 1)))).toBe("INPUT_ATTESTATIONS")
    expect(await refusal((body) => attest(body, strangers))).toBe("INPUT_ATTESTATIONS")
    const [one = new Uint8Array()] = executorKeys
    expect(await refusal((body) => attest(body, [one, one]))).toBe("INPUT_ATTESTATIONS")
    const lapsed = { answers: { ...healthyAnswers(), "nodeRegistry.liveUntil": () => [1_000_000] } }
    expect(await refusal((body) => attest(body), lapsed)).toBe("INPUT_ATTESTATIONS")
  })

  test("over another list are refused", async () => {
    const other = { list: toHex(utf8ToBytes("other list")) }
    const mixed = (body: unknown) => ({ ...attest(other), handles: attest(body).handles })
    expect(await refusal(mixed)).toBe("INPUT_ATTESTATIONS")
  })

  test("for other handles than the list gives are refused", async () => {
    const swapped = (body: unknown) => ({ ...attest(body), handles: attest(body).handles.toReversed() })
    expect(await refusal(swapped)).toBe("INPUT_HANDLES_MISMATCH")
  })

  test.each([
    ["no JSON", () => utf8ToBytes("<html>")],
    ["no handles", (body: unknown) => ({ attestations: attest(body).attestations })],
    ["handles of another kind", (body: unknown) => ({ ...attest(body), handles: [1, 2] })],
    ["short handles", (body: unknown) => ({ ...attest(body), handles: ["0x12"] })],
    ["no list", () => ({ handles: "0x", attestations: {} })],
    ["null", () => null],
  ])("an answer with %s is malformed", async (_, answer) => {
    expect(await refusal(answer)).toBe("COORDINATOR_MALFORMED")
  })

  test("a refusal carries the executors' code", async () => {
    const client = fakeClient({}, files)
    expect(await rejectionCodeOf(() => encrypt(client, params))).toBe("COORDINATOR_REFUSED")
  })
})
