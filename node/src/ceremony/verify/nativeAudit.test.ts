import { concatBytes, fromHex, toHex } from "@twinlock/sdk/protocol/codec"
import { partyIndexes } from "@twinlock/sdk/protocol/committee"
import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import { beforeAll, expect, test } from "vitest"
import { codeOf } from "../../../../test/support/codeOf.ts"
import { nativeEngine } from "../../threshold/nativeEngine.ts"
import { attemptOfParty, COMMITTEE } from "../party.fixture.ts"
import { createNativeAudit, maskBytes } from "./nativeAudit.ts"
import type { Transcript } from "./transcript.ts"

/** A few shared bits: the same rounds and checks as a real key. */
const BITS = 24
const audit = createNativeAudit(BITS)
const { n, t, keyId } = COMMITTEE
const indexes = partyIndexes(COMMITTEE)

type Said = ReadonlyMap<string, readonly Uint8Array[]>
type Lie = (broadcast: Uint8Array) => Uint8Array
const LIAR = 3

let rounds: Said
let seed: Uint8Array

/** @param lie what party 3 says in `round`, believing that it said the truth @throws what an honest party throws */
async function ceremony(
  round?: string,
  lie?: Lie,
): Promise<{ readonly said: Said; readonly seed: Uint8Array }> {
  const parties = indexes.map((index) =>
    nativeEngine.createParty({ ceremonyId: fromHex(keyId), attempt: 1, n, t, index, bits: BITS }),
  )
  try {
    const names = parties.slice(0, 1).flatMap((party) => [...party.rounds(), ...party.rowRounds()])
    const said = new Map<string, readonly Uint8Array[]>()
    for (const [number, name] of names.entries()) {
      const sent = await Promise.all(parties.map((party) => party.produce(number)))
      const truth = sent.map(({ broadcast }) => broadcast)
      const lies = lie !== undefined && name === round
      const heard = truth.map((broadcast, at) => (lies && at + 1 === LIAR ? lie(broadcast) : broadcast))
      said.set(name, heard)
      await Promise.all(
        parties.map((party, at) => {
          const sealed = sent.map(({ sealed: boxes }) => boxes[at] ?? null)
          return party.consume(number, at + 1 === LIAR ? truth : heard, sealed)
        }),
      )
    }
    return { said, seed: parties[0]?.publicSeed() ?? new Uint8Array() }
  } finally {
    for (const party of parties) party.destroy()
  }
}

beforeAll(async () => {
  const honest = await ceremony()
  rounds = honest.said
  seed = honest.seed
})

/** @param change replaces what party 3 said in a round */
function transcript(name?: string, change?: Lie, said = rounds): Transcript {
  const broadcasts: Transcript["broadcasts"] = (round) =>
    new Map(
      indexes.map((party, at) => {
        const broadcast = said.get(round)?.[at] ?? new Uint8Array()
        return [party, round === name && party === LIAR && change ? change(broadcast) : broadcast]
      }),
    )
  const missing = (): never => {
    throw new Error("not needed here")
  }
  return { bundle: null as never, attempt: attemptOfParty(1), round: missing, broadcasts }
}

const flipped =
  (at: number) =>
  (bytes: Uint8Array): Uint8Array =>
    bytes.map((byte, offset) => (offset === at ? byte ^ 1 : byte))

test("the rounds are those of the addon", () => {
  const { rounds: bits, rowRounds } = audit.rounds(COMMITTEE)
  expect([...bits, ...rowRounds]).toEqual([...rounds.keys()])
  expect(rowRounds).toEqual(["row-coin", "row-points"])
})

test("the public seed follows from what was opened", () => {
  expect(toHex(audit.publicSeed(transcript()))).toBe(toHex(seed))
})

test.each([
  ["an opening", "prss-open", 5],
  ["a salt", "prss-open", 63],
  ["a commitment", "hello", 5],
])("%s that was changed is refused", (_, round, at) => {
  expect(codeOf(() => audit.publicSeed(transcript(round, flipped(at))))).toBe("AUDIT_REFUSED")
})

test("coins, degree points and product points hold", () => {
  expect(audit.checkPoints(transcript())).toContain(`${n * n * 32} degree points`)
})

test.each([
  ["the bit coin", "coin", flipped(1)],
  ["the bit coin's commitment", "hello", flipped(40)],
  ["the row coin", "row-coin", flipped(1)],
  ["the row coin's commitment", "hello", flipped(72)],
  ["the first degree point", "degree-points", flipped(0)],
  ["the last degree point", "degree-points", flipped(n * 32 * 64 - 1)],
  ["the first product point", "product-points", flipped(0)],
  ["the last product point", "product-points", flipped(32 * 64 - 1)],
  ["the number of points", "product-points", (bytes: Uint8Array) => bytes.slice(64)],
] as const)("%s, changed, is refused", (_, round, change) => {
  expect(codeOf(() => audit.checkPoints(transcript(round, change)))).toBe("AUDIT_REFUSED")
})

test("masks of the public key are recomputed, and others are refused", () => {
  const layout = audit.keyLayout().chunks.find(({ part }) => part === audit.publicKeyPart)
  const chunk = Uint8Array.from({ length: layout?.byteLength ?? 0 }, (_, at) => at * 7)
  const publicKey = audit.assemblePublicKey(seed, chunk)
  expect(audit.checkMasks(seed, publicKey, chunk)).toContain(`${chunk.length} mask bytes`)
  const other = audit.assemblePublicKey(flipped(0)(seed), chunk)
  expect(codeOf(() => audit.checkMasks(seed, other, chunk))).toBe("AUDIT_REFUSED")
  const chosen = flipped(8_000)(publicKey)
  expect(codeOf(() => audit.checkMasks(seed, chosen, chunk))).toBe("AUDIT_REFUSED")
  expect(maskBytes(seed, 40)).toEqual(maskBytes(seed, 64).slice(0, 40))
})

const LIES: readonly (readonly [string, Lie])[] = [
  ["another first byte", flipped(0)],
  ["another byte in the middle", (bytes) => flipped(bytes.length >> 1)(bytes)],
  ["another last byte", (bytes) => flipped(bytes.length - 1)(bytes)],
  ["a byte less", (bytes) => bytes.slice(0, -1)],
  ["a byte more", (bytes) => concatBytes(bytes, Uint8Array.of(0))],
]

test.each(LIES)(
  "what the parties accept is accepted later: %s in any round",
  async (_, lie) => {
    for (const name of rounds.keys()) {
      const told = await ceremony(name, lie).catch((error: unknown) => {
        if (isProtocolError(error)) return null
        throw error
      })
      if (told === null) continue
      const shown = transcript(undefined, undefined, told.said)
      expect([name, toHex(audit.publicSeed(shown))]).toEqual([name, toHex(told.seed)])
      expect(audit.checkPoints(shown)).toContain("the coins open")
    }
  },
  120_000,
)
