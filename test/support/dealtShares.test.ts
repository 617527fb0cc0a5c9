import { unsealKeyShare } from "@twinlock/node/threshold/keyShare"
import { toHex, utf8ToBytes } from "@twinlock/sdk/protocol/codec"
import { blockCountOf, FHE_TYPES } from "@twinlock/sdk/protocol/fheType"
import { parsePartyIndex, parseSessionId } from "@twinlock/sdk/protocol/ids"
import { decode } from "@twinlock/sdk/threshold/galoisRing"
import { decodePlaintext } from "@twinlock/sdk/threshold/plaintext"
import { interpolate } from "@twinlock/sdk/threshold/shamir"
import { expect, test } from "vitest"
import { type DealtShares, dealShares, dealtShares, NS_BITS, NSC_BITS } from "./dealtShares.ts"
import { packedWords, rawWords } from "./encryptedWords.ts"
import { keystreamRng } from "./keystreamRng.ts"

const SESSION = parseSessionId(toHex(keystreamRng("session")(32)))
const small = dealShares({ n: 4, t: 1, seed: "test" })

/** Opens `values` elements of the shares of the first `count` parties. */
function opened(shares: readonly Uint8Array[], n: number, element: number) {
  return interpolate(
    shares.map((bytes, i) => ({ party: parsePartyIndex(i + 1, n), value: decode(bytes, element) })),
  )
}

async function decrypted(dealt: DealtShares, words: Uint8Array, fheType: 3 | 1): Promise<bigint> {
  const shares = await Promise.all(
    Array.from({ length: dealt.t + 1 }, async (_, i) => {
      const share = dealt.open(i + 1)
      const [bytes] = await share.decryptionShares([{ session: SESSION, format: "raw", words }])
      share.destroy()
      return bytes ?? new Uint8Array()
    }),
  )
  const blocks = Array.from({ length: blockCountOf(fheType) }, (_, k) => opened(shares, dealt.n, k))
  return decodePlaintext(blocks, fheType)
}

test("shares of the key bits open to the bits, and no t of them do", () => {
  const elements = [1, 2, 3, 4].map((party) => small.encoded(party).subarray(4))
  const bits = [...small.secret.ns, ...small.secret.nsc]
  expect(bits).toHaveLength(NS_BITS + NSC_BITS)
  for (const j of [0, 1, NS_BITS - 1, NS_BITS, NS_BITS + NSC_BITS - 1]) {
    expect(opened(elements.slice(0, 2), 4, j)).toEqual([BigInt(bits[j] ?? 2), 0n, 0n, 0n])
    expect(opened(elements.slice(0, 1), 4, j)).not.toEqual([BigInt(bits[j] ?? 2), 0n, 0n, 0n])
  }
})

test("the addon opens what was sealed here, and nothing for another context or key", () => {
  const share = small.open(3)
  expect([share.n, share.t, share.index]).toEqual([4, 1, 3])
  share.destroy()
  const [key, context] = [new Uint8Array(32).fill(7), utf8ToBytes("seat 3")]
  const sealed = small.sealed(3, key, context)
  unsealKeyShare(sealed, key, context).destroy()
  expect(() => unsealKeyShare(sealed, key, utf8ToBytes("seat 4"))).toThrow("SHARE_SEALED")
  expect(() => unsealKeyShare(sealed, new Uint8Array(32), context)).toThrow("SHARE_SEALED")
})

test("raw words of a dealt key decrypt through the addon's shares, masks and all", async () => {
  const words = rawWords(small.secret, FHE_TYPES.uint16, 0xbeefn, keystreamRng("words"))
  expect(await decrypted(small, words, FHE_TYPES.uint16)).toBe(0xbeefn)
})

test("a committee that is not 3t + 1 has replicated keys that agree", async () => {
  const dealt = await dealtShares({ n: 5, t: 1, seed: "test" })
  const words = rawWords(dealt.secret, FHE_TYPES.uint4, 9n, keystreamRng("five"))
  expect(await decrypted(dealt, words, FHE_TYPES.uint4)).toBe(9n)
  const again = await dealtShares({ n: 5, t: 1, seed: "test" })
  expect(toHex(again.encoded(5).subarray(-64))).toBe(toHex(dealt.encoded(5).subarray(-64)))
})

test("packed words hold the message in coefficients of B - A*S modulo X^1024 + 1", () => {
  const value = 0xfedcba9876543210n
  const words = packedWords(small.secret, FHE_TYPES.uint64, value, keystreamRng("packed"))
  expect(words).toHaveLength((NSC_BITS + blockCountOf(FHE_TYPES.uint64)) * 16)
  const view = new DataView(words.buffer, words.byteOffset)
  const word = (i: number) => view.getBigUint64(16 * i, true) | (view.getBigUint64(16 * i + 8, true) << 64n)
  const plain = Array.from({ length: 16 }, (_, k) => {
    // Schoolbook, by the definition of a product of polynomials.
    let product = 0n
    for (let p = 0; p < 6; p++)
      for (let i = 0; i < 1024; i++)
        for (const [j, sign] of [
          [k - i, 1n],
          [k - i + 1024, -1n],
        ] as const)
          if (j >= 0 && j < 1024 && small.secret.nsc[1024 * p + j] === 1) product += sign * word(1024 * p + i)
    return [BigInt.asUintN(128, word(NSC_BITS + k) - product), 0n, 0n, 0n] as const
  })
  expect(decodePlaintext(plain, FHE_TYPES.uint64)).toBe(value)
})
