import { toHex, utf8ToBytes } from "@twinlock/sdk/protocol/codec"
import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import {
  blobBytesOf,
  blockCountOf,
  FHE_TYPES,
  type FheType,
  parseFheType,
  wordFormatOf,
} from "@twinlock/sdk/protocol/fheType"
import {
  parseDigest,
  parseEpoch,
  parseKeyId,
  parsePartyIndex,
  parseSessionId,
} from "@twinlock/sdk/protocol/ids"
import { CURRENT_PARAMETERS } from "@twinlock/sdk/protocol/parameters"
import { sessionIdOf } from "@twinlock/sdk/protocol/session"
import { decode, sub } from "@twinlock/sdk/threshold/galoisRing"
import { decodePlaintext } from "@twinlock/sdk/threshold/plaintext"
import { interpolate } from "@twinlock/sdk/threshold/shamir"
import fc from "fast-check"
import { afterAll, describe, expect, test } from "vitest"
import { dealShares, sealShare } from "../../../test/support/dealtShares.ts"
import { packedWords, rawWords } from "../../../test/support/encryptedWords.ts"
import { keystreamRng } from "../../../test/support/keystreamRng.ts"
import { type KeyShare, unsealKeyShare } from "./keyShare.ts"
import { shareByDefinition } from "./shareByDefinition.fixture.ts"

const TYPES = Object.values(FHE_TYPES)
const COMMITTEES = [
  [4, 1],
  [5, 1],
  [7, 2],
  [10, 3],
  [13, 4],
  [15, 4],
] as const
const code = (name: string) => (error: unknown) => isProtocolError(error, name)

const binomial = (n: number, k: number): number => (k === 0 ? 1 : (binomial(n - 1, k - 1) * n) / k)

/** A share of random ring elements, or all of one byte, and random replicated keys: any string is one. */
function randomShare([n, t]: readonly [number, number], index: number, label: string, fill: number | null) {
  const rng = keystreamRng(label)
  const elements = fill === null ? rng(10_240 * 64) : new Uint8Array(10_240 * 64).fill(fill)
  const keys = rng(32 * binomial(n - 1, t))
  return new Uint8Array(Buffer.concat([Uint8Array.of(1, n, t, index), elements, keys]))
}

function opened(encoded: Uint8Array): KeyShare {
  const [key, context, nonce] = [new Uint8Array(32), utf8ToBytes("twin"), new Uint8Array(24)]
  return unsealKeyShare(sealShare(encoded, key, context, nonce), key, context)
}

const filled = (length: number, label: string, fill: number | null): Uint8Array =>
  fill === null ? keystreamRng(label)(length) : new Uint8Array(length).fill(fill)

const oddFill = fc.constantFrom(null, null, null, 0, 0xff, 0x80)

describe("the native kernels equal the definition", () => {
  test.each(COMMITTEES)("for n = %i, t = %i, in both formats", async (n, t) => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...TYPES),
        fc.integer({ min: 1, max: n }),
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.string(),
        fc.tuple(oddFill, oddFill),
        async (type, index, session, label, [keyFill, wordFill]) => {
          const encoded = randomShare([n, t], index, `key/${label}`, keyFill)
          const words = filled(blobBytesOf(type), `words/${label}`, wordFill)
          const format = wordFormatOf(type)
          const holder = opened(encoded)
          const [share] = await holder.decryptionShares([
            { words, format, session: parseSessionId(toHex(session)) },
          ])
          holder.destroy()
          const last = blockCountOf(type) - 1
          const blocks = [...new Set([0, last >> 1, last])]
          const want = shareByDefinition(encoded, { words, session, format }, blocks)
          expect(share).toHaveLength(64 * blockCountOf(type))
          expect(
            blocks.map((block) => toHex((share ?? words).subarray(64 * block, 64 * (block + 1)))),
          ).toEqual(want.map(toHex))
        },
      ),
      { numRuns: 4, examples: [[FHE_TYPES.uint64, n, new Uint8Array(32), "all", [null, null]]] },
    )
  })
})

describe("a dealt key", () => {
  const dealt = dealShares({ n: 4, t: 1, seed: "decryption shares" })
  const holders = [1, 2, 3, 4].map((party) => dealt.open(party))
  afterAll(() => {
    for (const holder of holders) holder.destroy()
  })
  const sessionOf = (type: FheType) =>
    sessionIdOf({
      keyId: parseKeyId(`0x${"11".repeat(32)}`),
      epoch: parseEpoch(1),
      parametersHash: CURRENT_PARAMETERS.hash,
      blockCount: blockCountOf(type),
      squashedDigest: parseDigest(`0x${"22".repeat(32)}`),
    })

  test("opens values of every type to what was encrypted, by one batch per party", async () => {
    const values = TYPES.map((type) =>
      BigInt.asUintN(type === 0 ? 1 : 4 * blockCountOf(type), 0xfedcba98n ** 9n),
    )
    const work = TYPES.map((type, i) => ({
      session: sessionOf(type),
      format: wordFormatOf(type),
      words: (wordFormatOf(type) === "raw" ? rawWords : packedWords)(
        dealt.secret,
        type,
        values[i] ?? 0n,
        keystreamRng(`value ${type}`),
      ),
    }))
    const shares = await Promise.all(holders.map((holder) => holder.decryptionShares(work)))
    for (const [i, type] of TYPES.entries()) {
      for (const parties of [
        [1, 2],
        [2, 4],
        [3, 1],
      ]) {
        const elements = Array.from({ length: blockCountOf(type) }, (_, block) =>
          interpolate(
            parties.map((party) => ({
              party: parsePartyIndex(party, 4),
              value: decode(shares[party - 1]?.[i] ?? new Uint8Array(), block),
            })),
          ),
        )
        expect(decodePlaintext(elements, parseFheType(type))).toBe(values[i])
      }
    }
  })

  test("gives the two readings of one digest two sessions and unrelated masks", async () => {
    // One digest can be that of words of one format only; a caller that lies about the rest still gets another mask.
    const [type, other] = [FHE_TYPES.uint64, FHE_TYPES.uint32]
    const words = packedWords(dealt.secret, type, 5n, keystreamRng("readings"))
    const [holder] = holders
    if (holder === undefined) throw new Error("no holder")
    const packed = sessionOf(type)
    const raw = sessionIdOf({
      keyId: parseKeyId(`0x${"11".repeat(32)}`),
      epoch: parseEpoch(1),
      parametersHash: CURRENT_PARAMETERS.hash,
      blockCount: blockCountOf(type),
      squashedDigest: parseDigest(`0x${"22".repeat(32)}`),
      format: "raw",
    })
    expect(raw).not.toBe(packed)
    expect(sessionOf(other)).not.toBe(packed)
    // The same words under both sessions: equal phases, so that the difference of the shares is that of the masks.
    const [one, two] = await holder.decryptionShares([
      { session: packed, format: "packed", words },
      { session: raw, format: "packed", words },
    ])
    for (let block = 0; block < 16; block++) {
      const difference = sub(decode(one ?? words, block), decode(two ?? words, block))
      expect(difference.filter((c) => c > 1n << 100n && c < (1n << 128n) - (1n << 100n))).toHaveLength(4)
    }
    await expect(holder.decryptionShares([{ session: raw, format: "raw", words }])).rejects.toSatisfy(
      code("SHARE_WORDS"),
    )
  })

  test("takes the exact words of a type only, and a batch all or none", async () => {
    const [holder] = holders
    if (holder === undefined) throw new Error("no holder")
    const session = sessionOf(FHE_TYPES.uint64)
    const item = (format: "raw" | "packed", length: number) => ({
      session,
      format,
      words: new Uint8Array(length),
    })
    for (const type of TYPES) {
      const [format, length] = [wordFormatOf(type), blobBytesOf(type)]
      expect(await holder.decryptionShares([item(format, length)])).toHaveLength(1)
      const wrong = format === "raw" ? "packed" : "raw"
      for (const refused of [
        item(wrong, length),
        item(format, length - 16),
        item(format, length + 16),
        item(format, length - 1),
        item(format, length + 1),
        item(format, 0),
      ])
        await expect(holder.decryptionShares([item(format, length), refused])).rejects.toSatisfy(
          code("SHARE_WORDS"),
        )
    }
    expect(await holder.decryptionShares([])).toEqual([])
  })

  test("reads its words before it returns", async () => {
    const [holder] = holders
    if (holder === undefined) throw new Error("no holder")
    const session = sessionOf(FHE_TYPES.uint64)
    const words = packedWords(dealt.secret, FHE_TYPES.uint64, 5n, keystreamRng("copied"))
    const [want] = await holder.decryptionShares([{ session, format: "packed", words }])
    const running = holder.decryptionShares([{ session, format: "packed", words }])
    words.fill(0)
    expect((await running)[0]).toEqual(want)
  })
})
