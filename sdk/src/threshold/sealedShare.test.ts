import { xchacha20poly1305 } from "@noble/ciphers/chacha.js"
import { hkdf } from "@noble/hashes/hkdf.js"
import { sha256 } from "@noble/hashes/sha2.js"
import { ml_kem768_x25519 as xwing } from "@noble/post-quantum/hybrid.js"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { codeOf } from "../../../test/support/codeOf.ts"
import { seededRng } from "../../../test/support/seededRng.ts"
import { concatBytes, fromHex, taggedHash, tagHash, toHex, utf8ToBytes } from "../protocol/codec.ts"
import { culprits } from "../protocol/errors.ts"
import {
  parseAddress,
  parseEpoch,
  parseHandle,
  parseKeyId,
  parsePartyIndex,
  parseSessionId,
} from "../protocol/ids.ts"
import {
  generateTransportKey,
  openShare,
  type SealedShareContext,
  sealedShareDigest,
  sealShare,
  TRANSPORT_KEY_BYTES,
  transportKeyHash,
} from "./sealedShare.ts"

const alice = generateTransportKey(seededRng("alice"))
const bob = generateTransportKey(seededRng("bob"))
const context: SealedShareContext = {
  keyId: parseKeyId(tagHash("key")),
  epoch: parseEpoch(1),
  sessionId: parseSessionId(tagHash("session")),
  chainId: 31337n,
  handle: parseHandle(tagHash("handle")),
  user: parseAddress(`0x${"a".repeat(40)}`),
  permitHash: tagHash("permit"),
  party: parsePartyIndex(3, 4),
}
const share = new Uint8Array(256).fill(7)
const sealed = sealShare(alice.publicKey, context, share, seededRng("seal"))

describe("sealed shares", () => {
  test("open for the transport key and context that they were sealed for", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 64, maxLength: 4096 }), fc.string(), (bytes, seed) => {
        const box = sealShare(alice.publicKey, context, bytes, seededRng(seed))
        expect(openShare(alice.secretKey, context, box)).toEqual(bytes)
      }),
      { numRuns: 5 },
    )
    expect(alice.publicKey.length).toBe(TRANSPORT_KEY_BYTES)
  })

  test("are fresh each time and hide the share", () => {
    const rng = seededRng("fresh")
    const first = sealShare(alice.publicKey, context, share, rng)
    expect(toHex(first)).not.toBe(toHex(sealShare(alice.publicKey, context, share, rng)))
    expect(toHex(first)).not.toContain("07070707")
  })

  test("do not open for another key", () => {
    expect(codeOf(() => openShare(bob.secretKey, context, sealed))).toBe("SEALED_SHARE_OPEN")
    expect(codeOf(() => openShare(new Uint8Array(31), context, sealed))).toBe("SEALED_SHARE_OPEN")
  })

  test.each([
    ["key", { keyId: parseKeyId(tagHash("k2")) }],
    ["epoch", { epoch: parseEpoch(2) }],
    ["session", { sessionId: parseSessionId(tagHash("s2")) }],
    ["chain", { chainId: 1n }],
    ["handle", { handle: parseHandle(tagHash("h2")) }],
    ["user", { user: parseAddress(`0x${"b".repeat(40)}`) }],
    ["permit", { permitHash: tagHash("p2") }],
    ["party", { party: parsePartyIndex(2, 4) }],
  ] as const)("do not open for another %s", (_, change) => {
    expect(codeOf(() => openShare(alice.secretKey, { ...context, ...change }, sealed))).toBe(
      "SEALED_SHARE_OPEN",
    )
    expect(sealedShareDigest({ ...context, ...change }, sealed)).not.toBe(sealedShareDigest(context, sealed))
  })

  test("altered anywhere do not open, and name the party that signed them", () => {
    for (const at of [1, 600, 1120, 1121, 1160, sealed.length - 1]) {
      const altered = Uint8Array.from(sealed)
      altered[at] = (altered[at] ?? 0) ^ 1
      expect(codeOf(() => openShare(alice.secretKey, context, altered))).toBe("SEALED_SHARE_OPEN")
      expect(sealedShareDigest(context, altered)).not.toBe(sealedShareDigest(context, sealed))
      try {
        openShare(alice.secretKey, context, altered)
      } catch (error) {
        expect(culprits(error)).toEqual([3])
      }
    }
  })

  test("that carry another session than their context are refused", () => {
    const { cipherText, sharedSecret } = xwing.encapsulate(alice.publicKey, seededRng("x")(64))
    const hash = (digest: string) => fromHex(digest)
    const { keyId, epoch, sessionId, chainId, handle, user, permitHash, party } = context
    const words = [keyId, epoch, sessionId, chainId, handle, user, permitHash, party] as const
    const bound = hash(taggedHash("twinlock/sealed-share-context/v1", ...words))
    const material = hkdf(sha256, sharedSecret, bound, utf8ToBytes("twinlock/sealed-share/v1"), 56)
    const box = (inner: string) => {
      const aead = xchacha20poly1305(
        material.slice(0, 32),
        material.slice(32),
        concatBytes(Uint8Array.of(1), bound),
      )
      return concatBytes(Uint8Array.of(1), cipherText, aead.encrypt(concatBytes(hash(inner), share)))
    }
    expect(openShare(alice.secretKey, context, box(sessionId))).toEqual(share)
    expect(codeOf(() => openShare(alice.secretKey, context, box(tagHash("other"))))).toBe(
      "SEALED_SHARE_SESSION",
    )
  })

  test("of another version or length are refused", () => {
    for (const bytes of [
      new Uint8Array(),
      Uint8Array.of(2, ...sealed.slice(1)),
      sealed.slice(0, 1160),
      new Uint8Array(6000).fill(1),
    ])
      expect(codeOf(() => openShare(alice.secretKey, context, bytes))).toBe("SEALED_SHARE_FORM")
  })

  test("are not made for a transport key of another length", () => {
    expect(codeOf(() => sealShare(alice.publicKey.slice(1), context, share, seededRng("x")))).toBe(
      "SEALED_SHARE_FORM",
    )
    const notReduced = new Uint8Array(TRANSPORT_KEY_BYTES).fill(255)
    expect(codeOf(() => sealShare(notReduced, context, share, seededRng("x")))).toBe("SEALED_SHARE_FORM")
  })
})

test("the permit binds the transport key by its keccak256", () => {
  expect(transportKeyHash(alice.publicKey)).not.toBe(transportKeyHash(bob.publicKey))
})
