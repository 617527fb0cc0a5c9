import { secp256k1 } from "@noble/curves/secp256k1.js"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { codeOf } from "../../../test/support/codeOf.ts"
import { generateFrostGroup } from "../../../test/support/frostGroup.ts"
import { seededRng } from "../../../test/support/seededRng.ts"
import { abiWord, concatBytes, fromHex, keccakBytes, tagHash, toHex } from "../protocol/codec.ts"
import { culprits } from "../protocol/errors.ts"
import { type Digest, type PartyIndex, parseAddress, parsePartyIndex } from "../protocol/ids.ts"
import { nobleCurve } from "./curve.ts"
import {
  decodePublicKeyPackage,
  encodePublicKeyPackage,
  FrostKeyShare,
  type GroupKey,
  type GroupSignature,
  groupKey,
  toEthereum,
  verifyGroupSignature,
} from "./frost.ts"
import { assertCommitment, type Signing } from "./frostRound.ts"
import {
  aggregate,
  createNonces,
  createSignatureShare,
  type SigningNonces,
  verifySignatureShare,
} from "./frostSign.ts"

const N = secp256k1.Point.Fn.ORDER
const message = tagHash("message")
const group = generateFrostGroup(4, 1, "frost")
const key = groupKey(group.publicKey)
const party = (index: number) => parsePartyIndex(index, 4)
const shareOf = (index: number): FrostKeyShare => {
  const keyShare = group.keyShares.get(party(index))
  if (keyShare === undefined) throw new Error("no share")
  return keyShare
}
const blamed = (run: () => unknown): readonly PartyIndex[] => {
  try {
    run()
  } catch (error) {
    return culprits(error)
  }
  return []
}

/** Fresh nonces of these parties, and what they are about to sign. */
function prepare(indexes: readonly number[], digest: Digest = message, seed = "nonces") {
  const nonces = new Map<number, SigningNonces>(
    indexes.map((index) => [index, createNonces(shareOf(index), seededRng(`${seed}/${index}`))]),
  )
  const list = indexes.map((index) => ({
    party: party(index),
    commitment: nonces.get(index)?.commitment ?? new Uint8Array(),
  }))
  const signing: Signing = { publicKey: group.publicKey, list, message: digest }
  const sign = (index: number): Uint8Array => {
    const own = nonces.get(index)
    if (own === undefined) throw new Error("no nonces")
    return createSignatureShare(signing, shareOf(index), own)
  }
  return { signing, sign, nonces }
}

function signWith(indexes: readonly number[], digest: Digest = message): GroupSignature {
  const { signing, sign } = prepare(indexes, digest)
  return toEthereum(aggregate(signing, new Map(indexes.map((index) => [party(index), sign(index)]))))
}

/** What Schnorr.sol computes, with the recovery of the precompile. */
function verifyAsContract({ groupX, groupV }: GroupKey, digest: Digest, { r, s }: GroupSignature): boolean {
  const packed = concatBytes(abiWord(groupX), Uint8Array.of(groupV), fromHex(digest), fromHex(r))
  const e = BigInt(toHex(keccakBytes(packed))) % N
  const word = (value: bigint) => abiWord(((value % N) + N) % N)
  const signature = concatBytes(Uint8Array.of(groupV - 27), abiWord(groupX), word(-e * groupX))
  const recovered = secp256k1.recoverPublicKey(signature, word(-s * groupX), { prehash: false })
  const point = secp256k1.Point.fromBytes(recovered).toBytes(false)
  return toHex(keccakBytes(point.subarray(1)).subarray(12)) === r
}

describe("signing", () => {
  test.each([[[1, 2, 3]], [[1, 2, 4]], [[2, 3, 4]], [[1, 2, 3, 4]]])(
    "parties %j make a signature that contract and SDK accept",
    (indexes) => {
      const signature = signWith(indexes)
      expect(verifyGroupSignature(key, message, signature)).toBe(true)
      expect(verifyAsContract(key, message, signature)).toBe(true)
    },
  )

  test("works for both parities of the group key and any message", () => {
    const parities = new Set<number>()
    for (let i = 0; i < 6; i++) {
      const other = generateFrostGroup(4, 1, `parity ${i}`)
      parities.add(groupKey(other.publicKey).groupV)
      const digest = tagHash(`message ${i}`)
      const list = [1, 2, 3].map(party)
      const nonces = list.map((p) => {
        const keyShare = other.keyShares.get(p)
        if (keyShare === undefined) throw new Error("no share")
        return { keyShare, own: createNonces(keyShare, seededRng(`n${i}`)) }
      })
      const signing = {
        publicKey: other.publicKey,
        list: nonces.map(({ keyShare, own }) => ({ party: keyShare.party, commitment: own.commitment })),
        message: digest,
      }
      const shares = new Map(
        nonces.map(({ keyShare, own }) => [keyShare.party, createSignatureShare(signing, keyShare, own)]),
      )
      const signature = toEthereum(aggregate(signing, shares))
      expect(verifyGroupSignature(groupKey(other.publicKey), digest, signature)).toBe(true)
      expect(verifyAsContract(groupKey(other.publicKey), digest, signature)).toBe(true)
    }
    expect(parities).toEqual(new Set([27, 28]))
  })

  test("fewer than a quorum, repeated or unordered signers are refused", () => {
    const shares = new Map([1, 2, 3, 4].map((i) => [party(i), new Uint8Array(32).fill(i)] as const))
    for (const indexes of [[1, 2], [], [1, 1, 2], [2, 1, 3]]) {
      const { signing } = prepare(indexes)
      expect(codeOf(() => aggregate(signing, shares))).toBe("FROST_FORM")
    }
    const { signing } = prepare([1, 2, 3])
    const outside = signing.list.map((signer, i) =>
      i === 2 ? { ...signer, party: parsePartyIndex(5, 5) } : signer,
    )
    expect(codeOf(() => aggregate({ ...signing, list: outside }, shares))).toBe("FROST_FORM")
    const { sign } = prepare([1, 2])
    expect(codeOf(() => sign(1))).toBe("FROST_FORM")
  })

  test("a party signs only lists that carry its own commitment", () => {
    const { signing, nonces } = prepare([1, 2, 3])
    const [own, other] = [nonces.get(1), nonces.get(2)]
    if (own === undefined || other === undefined) throw new Error("no nonces")
    expect(
      codeOf(() => createSignatureShare(signing, shareOf(4), createNonces(shareOf(4), seededRng("x")))),
    ).toBe("FROST_FORM")
    expect(codeOf(() => createSignatureShare(signing, shareOf(1), other))).toBe("FROST_FORM")
  })
})

describe("nonces", () => {
  test("are used once", () => {
    const { sign } = prepare([1, 2, 3])
    sign(1)
    expect(codeOf(() => sign(1))).toBe("FROST_NONCE_USED")
  })

  test("are gone after a failed attempt, too", () => {
    const { signing, nonces } = prepare([1, 2, 3])
    const own = nonces.get(1)
    if (own === undefined) throw new Error("no nonces")
    const short = { ...signing, list: signing.list.slice(0, 2) }
    expect(codeOf(() => createSignatureShare(short, shareOf(1), own))).toBe("FROST_FORM")
    expect(codeOf(() => createSignatureShare(signing, shareOf(1), own))).toBe("FROST_NONCE_USED")
  })

  test.each(["fails", "gives no point"])("nothing of nonces is left where the kernel %s", (what) => {
    const seen: Uint8Array[] = []
    const note = (bytes: Uint8Array) => {
      seen.push(bytes)
      return bytes
    }
    const fresh = seededRng("left")
    const multiple = (scalar: Uint8Array) => {
      note(scalar)
      if (what === "fails") throw new Error(what)
      return null
    }
    const rng = (length: number) => note(fresh(length))
    expect(() => createNonces(shareOf(1), rng, { ...nobleCurve, multiple })).toThrow()
    expect(seen.length).toBeGreaterThanOrEqual(3)
    for (const bytes of seen) expect(bytes).toEqual(new Uint8Array(32))
  })

  test("are gone after wiping and do not appear in JSON", () => {
    const own = createNonces(shareOf(1), seededRng("wipe"))
    expect(JSON.stringify({ own })).toBe('{"own":"[SigningNonces]"}')
    own.wipe()
    expect(codeOf(() => own.consume())).toBe("FROST_NONCE_USED")
  })

  test("commitments differ each time", () => {
    const rng = seededRng("fresh")
    expect(toHex(createNonces(shareOf(1), rng).commitment)).not.toBe(
      toHex(createNonces(shareOf(1), rng).commitment),
    )
  })
})

describe("blame", () => {
  const flip = (share: Uint8Array) => Uint8Array.of(...share.slice(0, 31), (share[31] ?? 0) ^ 1)

  test.each([[[2]], [[1, 3]], [[1, 2, 3]]])("invalid shares of %j name exactly those parties", (liars) => {
    const { signing, sign } = prepare([1, 2, 3])
    const shares = new Map(
      [1, 2, 3].map((i) => [party(i), liars.includes(i) ? flip(sign(i)) : sign(i)] as const),
    )
    const run = () => aggregate(signing, shares)
    expect(codeOf(run)).toBe("FROST_SHARE_INVALID")
    expect(blamed(run)).toEqual(liars)
    for (const [who, share] of shares)
      expect(verifySignatureShare(signing, who, share)).toBe(!liars.includes(who))
  })

  test("a share at or above n names its sender", () => {
    const { signing, sign } = prepare([1, 2, 3])
    for (const bad of [fromHex(`0x${N.toString(16)}`), new Uint8Array(32).fill(255), new Uint8Array(31)]) {
      const shares = new Map<PartyIndex, Uint8Array>(
        [1, 3].map((i) => [party(i), new Uint8Array(32).fill(1)]),
      )
      shares.set(party(2), bad)
      const run = () => aggregate(signing, shares)
      expect(codeOf(run)).toBe("FROST_SHARE_RANGE")
      expect(blamed(run)).toEqual([2])
      shares.set(party(3), bad)
      expect(blamed(run)).toEqual([2, 3])
      expect(blamed(() => verifySignatureShare(signing, party(2), bad))).toEqual([2])
    }
    expect(verifySignatureShare(signing, party(1), sign(1))).toBe(true)
  })

  test("a malformed commitment names its sender", () => {
    const { signing } = prepare([1, 2, 3])
    const uncompressed = secp256k1.Point.BASE.toBytes(false)
    for (const commitment of [
      new Uint8Array(66),
      new Uint8Array(66).fill(5),
      new Uint8Array(65),
      concatBytes(uncompressed, secp256k1.Point.BASE.toBytes()),
      concatBytes(secp256k1.Point.BASE.toBytes(), uncompressed),
    ]) {
      const list = signing.list.map((signer) =>
        signer.party === 2 ? { party: party(2), commitment } : signer,
      )
      const run = () => aggregate({ ...signing, list }, new Map())
      expect(codeOf(run)).toBe("FROST_COMMITMENT")
      expect(blamed(run)).toEqual([2])
      expect(codeOf(() => assertCommitment({ party: party(2), commitment }))).toBe("FROST_COMMITMENT")
    }
  })

  test("a share made for another list or message does not verify", () => {
    const first = prepare([1, 2, 3])
    const share = first.sign(1)
    expect(verifySignatureShare({ ...first.signing, message: tagHash("other") }, party(1), share)).toBe(false)
    const second = prepare([1, 2, 4])
    expect(verifySignatureShare(second.signing, party(1), share)).toBe(false)
    expect(verifySignatureShare(first.signing, party(4), share)).toBe(false)
  })

  test("a missing share is the caller's mistake", () => {
    const { signing, sign } = prepare([1, 2, 3])
    expect(codeOf(() => aggregate(signing, new Map([[party(1), sign(1)]])))).toBe("FROST_FORM")
  })
})

describe("verification", () => {
  const signature = signWith([1, 2, 3])
  const zero = parseAddress(`0x${"00".repeat(20)}`)

  test.each([
    ["r", key, message, { ...signature, r: parseAddress(`0x${"11".repeat(20)}`) }],
    ["r = 0", key, message, { ...signature, r: zero }],
    ["s + 1", key, message, { ...signature, s: signature.s + 1n }],
    ["s = 0", key, message, { ...signature, s: 0n }],
    ["s + n", key, message, { ...signature, s: signature.s + N }],
    ["-s", key, message, { ...signature, s: N - signature.s }],
    ["message", key, tagHash("other"), signature],
    ["parity", { ...key, groupV: key.groupV === 27 ? 28 : 27 }, message, signature],
    ["x = 0", { ...key, groupX: 0n }, message, signature],
    ["x + n", { ...key, groupX: key.groupX + N }, message, signature],
    ["x off the curve", { ...key, groupX: 5n }, message, signature],
  ] as const)("another %s is refused", (_, otherKey, digest, other) => {
    expect(verifyGroupSignature(otherKey, digest, other)).toBe(false)
  })

  test("r = 0 with a forged v is refused", () => {
    const forged = { ...key, groupV: 0 as 27 }
    expect(verifyGroupSignature(forged, message, { r: zero, s: 1n })).toBe(false)
  })

  test("agrees with the contract's formula on random changes", () => {
    fc.assert(
      fc.property(fc.bigInt(1n, N - 1n), (s) => {
        const other = { ...signature, s }
        expect(verifyGroupSignature(key, message, other)).toBe(verifyAsContract(key, message, other))
      }),
      { numRuns: 10 },
    )
  })
})

describe("encodings", () => {
  test("public packages and key shares survive a round trip", () => {
    expect(decodePublicKeyPackage(encodePublicKeyPackage(group.publicKey))).toEqual(group.publicKey)
    const encoded = shareOf(2).encode()
    expect(FrostKeyShare.decode(encoded).encode()).toEqual(encoded)
  })

  test("a package whose verification shares do not follow is refused", () => {
    const bytes = encodePublicKeyPackage(group.publicKey)
    const swapped = Uint8Array.from(bytes)
    swapped.set(bytes.slice(2 + 33 * 3, 2 + 33 * 4), 2 + 33 * 4)
    expect(codeOf(() => decodePublicKeyPackage(swapped))).toBe("FROST_FORM")
    expect(codeOf(() => decodePublicKeyPackage(Uint8Array.of(4, 1, ...bytes.slice(2))))).toBe("FROST_FORM")
    expect(codeOf(() => decodePublicKeyPackage(Uint8Array.of(4, 5, ...bytes.slice(2))))).toBe("FROST_FORM")
    expect(codeOf(() => decodePublicKeyPackage(bytes.slice(1)))).not.toBe("none")
    expect(codeOf(() => decodePublicKeyPackage(Uint8Array.of(...bytes, 0)))).toBe("CODEC_TRAILING")
  })

  test("key shares outside 1..n-1 are refused without showing them", () => {
    for (const bytes of [new Uint8Array(32), new Uint8Array(32).fill(255), new Uint8Array(31).fill(1)])
      expect(codeOf(() => new FrostKeyShare(party(1), bytes))).toBe("FROST_KEY_SHARE")
  })

  test("a signature of 64 bytes or off the curve is refused", () => {
    expect(codeOf(() => toEthereum(new Uint8Array(64)))).toBe("FROST_FORM")
    expect(codeOf(() => toEthereum(new Uint8Array(65)))).toBe("FROST_FORM")
  })
})
