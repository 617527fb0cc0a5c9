import { AbiCoder, Interface } from "ethers"
import { describe, expect, test } from "vitest"
import { tagHash, toHex } from "../protocol/codec.ts"
import { isProtocolError } from "../protocol/errors.ts"
import type { Hex } from "../protocol/ids.ts"
import { decryptionGatewayAbi } from "./abi.ts"
import { contractResult } from "./acceptance.ts"

const result = {
  gateway: `0x${"ab".repeat(20)}` as Hex,
  requestId: tagHash("request") as Hex,
  handles: [tagHash("h1"), tagHash("h2")],
  sessions: [tagHash("s1"), tagHash("s2")],
  plaintexts: AbiCoder.defaultAbiCoder().encode(["uint256", "uint256"], [7n, 2n ** 255n]) as Hex,
}

describe("contractResult", () => {
  test("joins handle, session and word by position", () => {
    expect(contractResult(result).openings).toEqual([
      { handle: result.handles[0], session: result.sessions[0], plaintext: 7n },
      { handle: result.handles[1], session: result.sessions[1], plaintext: 2n ** 255n },
    ])
  })

  test("fits the gateway's ABI", () => {
    const certificate = [tagHash("key"), 1, 7n, 1, 0, [], result.gateway, 5n]
    const gateway = new Interface(decryptionGatewayAbi)
    const data = gateway.encodeFunctionData("fulfil", [contractResult(result), certificate])
    expect(gateway.decodeFunctionData("fulfil", data)[0].openings[1].plaintext).toBe(2n ** 255n)
  })

  test("lists of different lengths are refused", () => {
    for (const bad of [
      { ...result, sessions: result.sessions.slice(1) },
      { ...result, handles: result.handles.slice(1) },
      { ...result, plaintexts: toHex(new Uint8Array(63)) },
      { ...result, plaintexts: toHex(new Uint8Array(96)) },
    ])
      expect(() => contractResult(bad)).toThrow(
        expect.toSatisfy((error) => isProtocolError(error, "RESULT_SHAPE")),
      )
  })
})
