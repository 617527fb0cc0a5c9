import { AbiCoder, Interface } from "ethers"
import { describe, expect, test } from "vitest"
import { tagHash, toHex } from "../protocol/codec.ts"
import { isProtocolError } from "../protocol/errors.ts"
import { type Hex, parseAddress, parseKeyId } from "../protocol/ids.ts"
import { decryptionGatewayAbi } from "./abi.ts"
import { contractEndorsed, contractEvidence, contractResult } from "./acceptance.ts"

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

  test("every kind of certificate fits the gateway's ABI", () => {
    const gateway = new Interface(decryptionGatewayAbi)
    const words: readonly Hex[] = [tagHash("r"), tagHash("vs")]
    const signature: Hex = `0x${words.map((word) => word.slice(2)).join("")}`
    const signed = { keyId: parseKeyId(tagHash("key")), epoch: 1, signers: "3" }
    const place = { leaves: 2, index: 1, path: [tagHash("sibling")] }
    const group = { ...signed, r: parseAddress(result.gateway), s: "5" }
    const quote = {
      quote: "0x01",
      auth: "0x02",
      pckLeaf: "0x03",
      caId: tagHash("ca"),
      configDocument: "0x",
    } as const
    const evidence = { endorsers: "2", signatures: [signature], quotes: [{ party: 4, evidence: quote }] }
    const decoded = (name: string, ...args: readonly unknown[]) =>
      gateway.decodeFunctionData(name, gateway.encodeFunctionData(name, [...args]))
    const endorsed = { ...signed, ...place, signatures: [signature] }
    expect(
      decoded(
        "fulfilEndorsed",
        contractResult(result),
        contractEndorsed(endorsed),
      )[1].signatures[0].toArray(),
    ).toEqual(words)
    const brought = decoded(
      "fulfilWith",
      contractResult(result),
      { ...group, ...place },
      contractEvidence(evidence),
    )[2]
    expect(brought.signatures[0].toArray()).toEqual(words)
    expect([brought.quotes[0].index, brought.quotes[0].evidence.auth]).toEqual([4n, "0x02"])
    expect(decoded("fulfilMany", [contractResult(result)], group)[1].signers).toBe(3n)
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
