import { secp256k1 } from "@noble/curves/secp256k1.js"
import { abiWord, concatBytes, fromHex, keccakBytes, toHex } from "@twinlock/sdk/protocol/codec"
import { type Digest, parseDigest } from "@twinlock/sdk/protocol/ids"
import {
  addressOfSecretKey,
  recoverSigner as recoverByNoble,
  type SignerRecovery,
  signDigest,
  verifySignature,
} from "@twinlock/sdk/protocol/signature"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { codeOf } from "../../../test/support/codeOf.ts"
import { callNative } from "./native.ts"
import { recoverSigner, signDigest as signNatively } from "./signatures.ts"

const N = secp256k1.Point.Fn.ORDER
const P = secp256k1.Point.Fp.ORDER
const key = new Uint8Array(32).fill(0xa1)
const digestOf = (text: string): Digest => parseDigest(toHex(keccakBytes(new TextEncoder().encode(text))))
const digest = digestOf("twinlock/test")

/** Address or error code. */
function outcome(recover: SignerRecovery, of: Digest, signature: Uint8Array): string | null {
  let address: string | null = null
  const code = codeOf(() => {
    address = recover(of, signature)
  })
  return address ?? code
}

function expectSame(of: Digest, signature: Uint8Array): string {
  const native = outcome(recoverSigner, of, signature)
  expect(native).toBe(outcome(recoverByNoble, of, signature))
  return String(native)
}

const encoded = (r: bigint, s: bigint, v: number): Uint8Array =>
  concatBytes(abiWord(r), abiWord(s), Uint8Array.of(v))

/** A signature in which r is the x coordinate of k·G. */
function signatureOf(k: bigint, s: bigint): Uint8Array {
  const { x, y } = secp256k1.Point.BASE.multiply(k).toAffine()
  return encoded(x, s, 27 + Number(y & 1n))
}

describe("recovery by the addon", () => {
  test("names the signer, as noble does", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.string(), (secret, text) => {
        fc.pre(secp256k1.utils.isValidSecretKey(secret))
        const signature = signDigest(digestOf(text), secret)
        expect(expectSame(digestOf(text), signature)).toBe(addressOfSecretKey(secret))
        expect(() =>
          verifySignature(digestOf(text), signature, addressOfSecretKey(secret), recoverSigner),
        ).not.toThrow()
        expect(() =>
          verifySignature(digestOf(`${text}!`), signature, addressOfSecretKey(secret), recoverSigner),
        ).toThrow("SIGNATURE_SIGNER")
      }),
      { numRuns: 50 },
    )
  })

  test("equals noble on every edge of r, s and v", () => {
    const half = N >> 1n
    const edges = [0n, 1n, 2n, 5n, half - 1n, half, half + 1n, N - 1n, N, N + 1n, P - 1n, P, P + 1n]
    const words = [...edges, (1n << 256n) - 1n, ...[1n, 2n, 3n].map((k) => P - N - k), P - N, P - N + 1n]
    const seen = new Set<string>()
    for (const r of words)
      for (const s of words)
        for (const v of [0, 1, 26, 27, 28, 29, 30, 31, 255]) {
          const result = expectSame(digest, encoded(r, s, v))
          seen.add(result.length === 42 ? "address" : result)
          const low = s >= 1n && s <= half
          if (!low || r === 0n || r >= N || (v !== 27 && v !== 28)) expect(result).toBe("SIGNATURE_FORM")
        }
    expect(seen).toEqual(new Set(["address", "SIGNATURE_FORM"]))
  })

  test("equals noble on mutated signatures", () => {
    const mutations = fc.array(fc.tuple(fc.nat(64), fc.integer({ min: 1, max: 255 })), { maxLength: 3 })
    fc.assert(
      fc.property(fc.string(), mutations, (text, changes) => {
        const signature = signDigest(digestOf(text), key)
        for (const [at, flip] of changes) signature[at] = (signature[at] ?? 0) ^ flip
        expectSame(digestOf(text), signature)
      }),
      { numRuns: 200 },
    )
  })

  test("equals noble on random bytes of any length and any digest", () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 130 }),
      fc.uint8Array({ minLength: 64, maxLength: 64 }).map((rs) => {
        const low = Uint8Array.of(...rs, 27 + ((rs[0] ?? 0) & 1))
        low[32] = (low[32] ?? 0) & 0x7f
        return low
      }),
    )
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), bytes, (hash, signature) => {
        expectSame(parseDigest(toHex(hash)), signature)
      }),
      { numRuns: 300 },
    )
  })

  test("the high twin of a signature is refused", () => {
    const signature = signDigest(digest, key)
    const s = BigInt(toHex(signature.subarray(32, 64)))
    const twin = encoded(BigInt(toHex(signature.subarray(0, 32))), N - s, 55 - (signature[64] ?? 0))
    expect(expectSame(digest, twin)).toBe("SIGNATURE_FORM")
  })

  test("a signature whose key would be the point at infinity is refused", () => {
    for (const k of [1n, 2n, 7n, 123_456_789n]) {
      const z = BigInt(digest) % N
      // Q = r⁻¹(sR − zG) = r⁻¹(sk − z)·G
      const s = (z * secp256k1.Point.Fn.inv(k)) % N
      const signature = s <= N >> 1n ? signatureOf(k, s) : signatureOf(N - k, N - s)
      expect(expectSame(digest, signature)).toBe("SIGNATURE_FORM")
      const other = Uint8Array.from(signature)
      other[64] = 55 - (signature[64] ?? 0)
      expect(expectSame(digest, other)).toMatch(/^0x/)
    }
  })

  test("digests of n and more are reduced", () => {
    for (const z of [0n, 1n, N - 1n, N, N + 1n, (1n << 256n) - 1n])
      expect(expectSame(parseDigest(toHex(abiWord(z))), signDigest(digest, key))).toMatch(/^0x/)
    const [zero, order] = [0n, N].map((z) => parseDigest(toHex(abiWord(z))))
    if (zero === undefined || order === undefined) throw new Error("no digests")
    const signature = signDigest(digest, key)
    expect(recoverSigner(order, signature)).toBe(recoverSigner(zero, signature))
  })

  test("a digest of another length is an own bug", () => {
    const signature = signDigest(digest, key)
    expect(() => callNative((addon) => addon.recoverSigner(fromHex("0x00"), signature))).toThrow(
      /^NATIVE_CONFIG/,
    )
  })
})

test("signs as noble does, byte for byte, and refuses the same keys", () => {
  const keys = fc.oneof(
    fc.constantFrom(0n, 1n, 2n, N - 1n, N, N + 1n, 2n ** 256n - 1n),
    fc.bigInt({ min: 1n, max: N - 1n }),
  )
  fc.assert(
    fc.property(keys, fc.uint8Array({ minLength: 32, maxLength: 32 }), (key, bytes) => {
      const outcomes = [signNatively, signDigest].map((sign) => {
        try {
          return toHex(sign(parseDigest(toHex(bytes)), abiWord(key)))
        } catch (error) {
          return String(error)
        }
      })
      expect(outcomes[0]).toBe(outcomes[1])
      expect(outcomes[0]?.startsWith("0x")).toBe(key > 0n && key < N)
    }),
    { numRuns: 60 },
  )
  for (const length of [0, 31, 33])
    expect(() => signNatively(digest, new Uint8Array(length).fill(1))).toThrow("32 bytes")
})
