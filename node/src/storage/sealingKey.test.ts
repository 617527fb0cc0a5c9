import { toHex } from "@twinlock/sdk/protocol/codec"
import { parseDigest, parseEpoch, parseKeyId } from "@twinlock/sdk/protocol/ids"
import { describe, expect, test } from "vitest"
import { Secret } from "../secret.ts"
import { deriveSealingKey, type LocalKeyProvider, type SealingScope } from "./sealingKey.ts"

const filled = (byte: number, length = 32): Uint8Array => new Uint8Array(length).fill(byte)
const provider = (byte = 1, length = 32): LocalKeyProvider => ({
  localKey: async () => new Secret(filled(byte, length)),
})
const epoch = (keyByte: number, number: number, peerByte: number): SealingScope => ({
  kind: "epoch",
  keyId: parseKeyId(toHex(filled(keyByte))),
  epoch: parseEpoch(number),
  peerIdHash: parseDigest(toHex(filled(peerByte))),
})
const derive = async (...args: Parameters<typeof deriveSealingKey>): Promise<string> =>
  (await deriveSealingKey(...args)).use(toHex)

describe("sealing key", () => {
  test("every input changes the key, and the same inputs give the same key", async () => {
    const scope = epoch(2, 1, 3)
    const keys = await Promise.all([
      derive(provider(), { kind: "node" }),
      derive(provider(), scope),
      derive(provider(9), scope),
      derive(provider(), epoch(4, 1, 3)),
      derive(provider(), epoch(2, 2, 3)),
      derive(provider(), epoch(2, 1, 5)),
      derive(provider(), scope, new Secret(filled(6))),
      derive(provider(), scope, new Secret(filled(8))),
    ])
    expect(new Set(keys).size).toBe(keys.length)
    expect(await derive(provider(), scope)).toBe(keys[1])
  })

  test("halves of another length are refused", async () => {
    await expect(derive(provider(1, 16), { kind: "node" })).rejects.toThrow("SEALING_KEY_LENGTH")
    await expect(derive(provider(), { kind: "node" }, new Secret(filled(1, 31)))).rejects.toThrow(
      "SEALING_KEY_LENGTH",
    )
  })
})
