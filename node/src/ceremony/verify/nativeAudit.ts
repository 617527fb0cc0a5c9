/**
 * What the network's parameter set publishes in its rounds (native/src/keygen), read by code of its own: commitments and
 * their openings, the points of the degree and product checks, and the masks of the public key.
 */
import { createCipheriv, createHash } from "node:crypto"
import { concatBytes, fromHex, toHex, utf8ToBytes } from "@twinlock/sdk/protocol/codec"
import { type Committee, partyIndexes } from "@twinlock/sdk/protocol/committee"
import type { PartyIndex } from "@twinlock/sdk/protocol/ids"
import { CURRENT_PARAMETERS } from "@twinlock/sdk/protocol/parameters"
import { alpha, decode, encode, type RingElement, ZERO } from "@twinlock/sdk/threshold/galoisRing"
import { lagrangeAt, lagrangeAtZero, weigh } from "@twinlock/sdk/threshold/shamir"
import { crsAuditor, nativeEngine } from "../../threshold/nativeEngine.ts"
import type { KeygenAudit } from "./keygenAudit.ts"
import { refuse } from "./step.ts"
import type { Transcript } from "./transcript.ts"

/** Shared bits of a key. */
const KEY_BITS = 17_196
const REVEAL_BYTES = 64
const COMMITMENT_BYTES = 32
const REPETITIONS = 32
const ELEMENT_BYTES = 64

/** Places in the commitments of the first round; numbers are the engine's purposes. */
const SEED = {
  place: 0,
  purpose: 1,
  opened: "prss-open",
  name: CURRENT_PARAMETERS.name,
  what: "the public seed",
} as const
const BIT_COIN = { place: 1, purpose: 2, opened: "coin", name: "", what: "the bit coin" } as const
const ROW_COIN = { place: 2, purpose: 3, opened: "row-coin", name: "", what: "the row coin" } as const
type Committed = typeof SEED | typeof BIT_COIN | typeof ROW_COIN

/** @param bits fewer in tests */
export function createNativeAudit(bits: number = KEY_BITS): KeygenAudit {
  const hash = (transcript: Transcript, purpose: number, ...parts: readonly Uint8Array[]): Uint8Array => {
    const { committee, attempt } = transcript.attempt
    const sizes = new DataView(new ArrayBuffer(8))
    sizes.setUint32(0, attempt)
    sizes.setUint32(4, bits)
    const hashed = createHash("sha256")
      .update("twinlock/ceremony/hash/v1")
      .update(fromHex(committee.keyId))
      .update(new Uint8Array(sizes.buffer))
      .update(Uint8Array.of(committee.n, committee.t, purpose))
    for (const part of parts) hashed.update(part)
    return new Uint8Array(hashed.digest())
  }

  /** Opens what was committed; H(tag ‖ reveals in party order). */
  function combined(transcript: Transcript, { place, purpose, opened, name, what }: Committed): Uint8Array {
    const commitments = transcript.broadcasts("hello")
    const reveals = transcript.broadcasts(opened)
    for (const [party, reveal] of reveals) {
      const committed = commitments
        .get(party)
        ?.subarray(place * COMMITMENT_BYTES, (place + 1) * COMMITMENT_BYTES)
      const actual = hash(transcript, purpose, Uint8Array.of(0, party), reveal)
      if (reveal.length !== REVEAL_BYTES || committed === undefined || toHex(committed) !== toHex(actual))
        throw refuse(`party ${party} opened another share of ${what} than it committed to`)
    }
    return hash(transcript, purpose, Uint8Array.of(1), utf8ToBytes(name), ...reveals.values())
  }

  function checkPoints(transcript: Transcript): string {
    const { committee } = transcript.attempt
    combined(transcript, BIT_COIN)
    combined(transcript, ROW_COIN)
    const parties = partyIndexes(committee)
    const degree = pointsOf(transcript, "degree-points", committee.n * REPETITIONS)
    const lowDegree = polynomialTest(committee, committee.t)
    for (let row = 0; row < committee.n * REPETITIONS; row++)
      if (lowDegree(parties.map((party) => degree.get(party)?.[row] ?? ZERO)) === null)
        throw refuse(`what party ${Math.floor(row / REPETITIONS) + 1} dealt is not of degree ${committee.t}`)
    const product = pointsOf(transcript, "product-points", REPETITIONS)
    const doubleDegree = polynomialTest(committee, 2 * committee.t)
    for (let row = 0; row < REPETITIONS; row++) {
      const value = doubleDegree(parties.map((party) => product.get(party)?.[row] ?? ZERO))
      if (value === null || value.some((word) => word !== 0n))
        throw refuse("an input is no bit or a product is wrong")
    }
    return `the coins open; ${degree.size * committee.n * REPETITIONS} degree points and ${degree.size * REPETITIONS} product points fit`
  }

  return {
    parametersHash: CURRENT_PARAMETERS.hash,
    rounds(committee) {
      const { n, t, keyId } = committee
      const party = nativeEngine.createParty({ ceremonyId: fromHex(keyId), attempt: 1, n, t, index: 1, bits })
      try {
        return { rounds: party.rounds(), rowRounds: party.rowRounds() }
      } finally {
        party.destroy()
      }
    },
    publicSeed: (transcript) => combined(transcript, SEED),
    checkPoints,
    crs: crsAuditor,
    keyLayout: nativeEngine.keyLayout,
    publicKeyPart: nativeEngine.publicKeyPart,
    assemblePublicKey: nativeEngine.assemblePublicKey,
    checkMasks(publicSeed, publicKey, chunk) {
      const masks = maskBytes(publicSeed, chunk.length)
      if (Buffer.from(publicKey).indexOf(concatBytes(masks, chunk)) < 0)
        throw refuse("the public key holds other masks than its seed makes")
      return `${masks.length} mask bytes of the public key recomputed from seed ${toHex(publicSeed)}`
    },
  }
}

function pointsOf(
  { broadcasts }: Transcript,
  round: string,
  count: number,
): ReadonlyMap<PartyIndex, readonly RingElement[]> {
  return new Map(
    [...broadcasts(round)].map(([party, bytes]) => {
      if (bytes.length !== count * ELEMENT_BYTES)
        throw refuse(`${round} of party ${party} has ${bytes.length} bytes, want ${count * ELEMENT_BYTES}`)
      return [party, Array.from({ length: count }, (_, at) => decode(bytes, at))] as const
    }),
  )
}

/** The value at zero where the points of all n parties lie on one polynomial of `degree`; null otherwise. */
function polynomialTest(
  { n }: Committee,
  degree: number,
): (points: readonly RingElement[]) => RingElement | null {
  const parties = partyIndexes({ n })
  const base = parties.slice(0, degree + 1)
  const rest = parties.slice(degree + 1).map((party) => lagrangeAt(base, alpha(party)))
  const atZero = lagrangeAtZero(base)
  return (points) => {
    const first = points.slice(0, degree + 1)
    const fits = rest.every(
      (weights, at) =>
        toHex(encode(weigh(weights, first))) === toHex(encode(points[degree + 1 + at] ?? ZERO)),
    )
    return fits ? weigh(atZero, first) : null
  }
}

const BLOCK = 16

/**
 * The first bytes of the mask stream (docs/keygen.md §1): AES-128-CTR with a little-endian counter, key and first counter
 * from a CBC chain under the zero key over "TFHE_GEN" ‖ seed ‖ bit length.
 */
export function maskBytes(publicSeed: Uint8Array, length: number): Uint8Array {
  const seed = concatBytes(utf8ToBytes("TFHE_GEN"), publicSeed)
  const padded = new Uint8Array(Math.ceil(seed.length / BLOCK) * BLOCK + BLOCK)
  padded.set(seed)
  new DataView(padded.buffer).setUint32(padded.length - BLOCK, 8 * seed.length, true)
  const chain = createCipheriv("aes-128-cbc", new Uint8Array(BLOCK), new Uint8Array(BLOCK)).update(padded)
  const key = chain.subarray(-BLOCK)
  const first = littleEndian(chain.subarray(-2 * BLOCK, -BLOCK))
  const counters = new Uint8Array(Math.ceil(length / BLOCK) * BLOCK)
  for (let at = 0; at < counters.length; at += BLOCK)
    for (let i = 0, value = first + BigInt(at / BLOCK); i < BLOCK; i++, value >>= 8n)
      counters[at + i] = Number(value & 255n)
  const cipher = createCipheriv("aes-128-ecb", key, null).setAutoPadding(false)
  return new Uint8Array(cipher.update(counters)).slice(0, length)
}

const littleEndian = (bytes: Uint8Array): bigint =>
  bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n)
