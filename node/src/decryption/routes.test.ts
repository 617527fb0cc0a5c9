import { keccak } from "@twinlock/sdk/protocol/codec"
import { permitToBody } from "@twinlock/sdk/protocol/http"
import { parseAddress } from "@twinlock/sdk/protocol/ids"
import { describe, expect, test } from "vitest"
import { chainError } from "../chain/chainError.ts"
import { type DecryptionErrorCode, decryptionError } from "./errors.ts"
import { answerUserDecryption } from "./routes.ts"

const keyId = keccak(new Uint8Array())
const address = parseAddress(`0x${"01".repeat(20)}`)
const body = {
  keyId,
  permit: permitToBody({
    user: address,
    transportKeyHash: keccak(new Uint8Array()),
    contracts: [address],
    notBefore: 1n,
    notAfter: 2n,
    nonce: 0n,
    chainId: 1n,
    extra: new Uint8Array(),
  }),
  signature: "0x00",
  transportKey: "0x00",
  handles: [{ handle: keyId, contract: address }],
}
const answerTo = (json: unknown, error: unknown = new Error("unused")) =>
  answerUserDecryption(json, keyId, {
    answer: async () => {
      throw error
    },
  })

describe("status of a refused user decryption", () => {
  const cases: readonly (readonly [number, DecryptionErrorCode])[] = [
    [400, "PERMIT_MALFORMED"],
    [403, "PERMIT_EXPIRED"],
    [403, "NOT_ALLOWED_FOR_USER"],
    [403, "COMMITMENT_FROZEN"],
    [403, "BLOCK_BUDGET_EXHAUSTED"],
    [403, "CONFLICTING_RELEASE"],
    [429, "QUOTA_EXCEEDED"],
    [503, "NOT_APPROVED"],
    [503, "COMMITMENT_NOT_FINAL"],
    [503, "BLOB_UNAVAILABLE"],
    [503, "BLOB_MISMATCH"],
  ]
  test.each(cases)("%i for %s", async (status, code) => {
    expect(await answerTo(body, decryptionError(code, "why"))).toEqual({
      status,
      body: { error: { code, message: "why" } },
    })
  })

  test("503 where the chain cannot be read", async () => {
    expect((await answerTo(body, chainError("CHAIN_DISAGREEMENT", "why"))).status).toBe(503)
  })

  test("400 for a body of another form, without asking anybody", async () => {
    expect((await answerTo({ ...body, extra: 1 })).status).toBe(400)
    expect((await answerTo({ ...body, signature: "zz" })).status).toBe(400)
    expect((await answerTo(null)).status).toBe(400)
  })

  test("an own fault is no answer", async () => {
    await expect(answerTo(body, new TypeError("bug"))).rejects.toThrow("bug")
  })
})
