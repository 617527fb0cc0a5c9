import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { codeOf } from "../../../test/support/codeOf.ts"
import { seededRng } from "../../../test/support/seededRng.ts"
import { concatBytes, fromHex, taggedHash, tagHash, toHex } from "../protocol/codec.ts"
import { culprits } from "../protocol/errors.ts"
import {
  parseAddress,
  parseEpoch,
  parseHandle,
  parseKeyId,
  parsePartyIndex,
  parseSessionId,
} from "../protocol/ids.ts"
import { sealBox } from "./sealedBox.ts"
import {
  generateTransportKey,
  openShare,
  type SealedShareContext,
  sealedShareDigest,
  sealShare,
  TRANSPORT_KEY_BYTES,
  TransportKey,
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
    const { keyId, epoch, sessionId, chainId, handle, user, permitHash, party } = context
    const words = [keyId, epoch, sessionId, chainId, handle, user, permitHash, party] as const
    const place = {
      purpose: "twinlock/sealed-share/v1",
      context: fromHex(taggedHash("twinlock/sealed-share-context/v1", ...words)),
    }
    const box = (inner: string) =>
      sealBox(alice.publicKey, place, concatBytes(fromHex(inner), share), seededRng("x"))
    expect(openShare(alice.secretKey, context, box(sessionId))).toEqual(share)
    expect(codeOf(() => openShare(alice.secretKey, context, box(tagHash("other"))))).toBe(
      "SEALED_SHARE_SESSION",
    )
  })

  test("of another length are refused", () => {
    for (const bytes of [new Uint8Array(), sealed.slice(0, 1160), new Uint8Array(6000).fill(1)])
      expect(codeOf(() => openShare(alice.secretKey, context, bytes))).toBe("SEALED_SHARE_FORM")
    expect(codeOf(() => openShare(alice.secretKey, context, Uint8Array.of(2, ...sealed.slice(1))))).toBe(
      "SEALED_SHARE_OPEN",
    )
  })

  test("are not made for what is no transport key", () => {
    expect(codeOf(() => sealShare(alice.publicKey.slice(1), context, share, seededRng("x")))).toBe("BOX_KEY")
  })
})

test("a transport key is its secret again, and shows it in no JSON", () => {
  const again = new TransportKey(alice.secretKey)
  expect(openShare(again.secretKey, context, sealed)).toEqual(share)
  expect(again.publicKey).toEqual(alice.publicKey)
  expect(JSON.stringify({ alice })).toBe('{"alice":"[TransportKey]"}')
  expect(codeOf(() => new TransportKey(new Uint8Array(31)))).toBe("SEALED_SHARE_FORM")
  again.wipe()
  expect(codeOf(() => openShare(again.secretKey, context, sealed))).toBe("SEALED_SHARE_OPEN")
})

test("the permit binds the transport key by its keccak256", () => {
  expect(transportKeyHash(alice.publicKey)).not.toBe(transportKeyHash(bob.publicKey))
})
