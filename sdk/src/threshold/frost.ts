/**
 * FROST(secp256k1, keccak) (RFC 9591 with the challenge of protocol §6, signing.md §1): the suite, group keys and the
 * verification of group signatures. e = keccak256(P.x ‖ v ‖ message ‖ address(R)) mod n is what the contract recomputes
 * with one ecrecover, so a signature travels as (address(R), s) and no even-Y adjustment is wanted: the parity of P is in v.
 *
 * Public inputs only, except {@link FrostKeyShare}. noble's arithmetic is not constant time; signing runs inside the enclave.
 */
import { createFROST, type FROST } from "@noble/curves/abstract/frost.js"
import { bytesToNumberBE } from "@noble/curves/utils.js"
import { keccak_512 } from "@noble/hashes/sha3.js"
import {
  abiWord,
  concatBytes,
  fromHex,
  keccakBytes,
  Reader,
  toHex,
  utf8ToBytes,
  Writer,
} from "../protocol/codec.ts"
import { MAX_PARTIES } from "../protocol/committee.ts"
import { ProtocolError } from "../protocol/errors.ts"
import { type Address, type Digest, type PartyIndex, parsePartyIndex } from "../protocol/ids.ts"
import {
  addressOfPoint,
  type CurveKernel,
  type CurvePoint,
  Fn,
  nobleCurve,
  POINT_BYTES,
  Point,
  parsePoint,
  SCALAR_BYTES,
  scalarOf,
} from "./curve.ts"

export type FrostErrorCode =
  /** a message, list or package outside its form; a mistake of the caller. */
  | "FROST_FORM"
  /** a group key that ecrecover cannot carry (probability 2^-128): run the key generation again. */
  | "FROST_GROUP_KEY"
  /** a commitment that is not two compressed points; names its sender. */
  | "FROST_COMMITMENT"
  /** a signature share that is not a scalar; names its sender. */
  | "FROST_SHARE_RANGE"
  /** a signature share that does not verify for (list, message); names its senders. */
  | "FROST_SHARE_INVALID"
  /** nonces are used once: they were consumed by an earlier attempt, successful or not. */
  | "FROST_NONCE_USED"
  /** a signing share that does not belong to the public package. */
  | "FROST_KEY_SHARE"

const N = Fn.ORDER
/** Compressed. */
export const GENERATOR: Uint8Array = Point.BASE.toBytes()
/** Name of the suite; prefix of every hash in it. */
export const SUITE = "FROST-secp256k1-KECCAK-ecrecover-v1"

export const frostError = (
  code: FrostErrorCode,
  message: string,
  culprits: readonly PartyIndex[] = [],
): ProtocolError => new ProtocolError({ code, message, culprits })

/** H2 of the suite. @param r address of R. */
export function challengeOf(key: GroupKey, message: Uint8Array, r: Address): bigint {
  if (message.length !== 32)
    throw frostError("FROST_FORM", `want a digest of 32 bytes, got ${message.length}`)
  const hash = keccakBytes(concatBytes(abiWord(key.groupX), Uint8Array.of(key.groupV), message, fromHex(r)))
  const e = Fn.create(bytesToNumberBE(hash))
  if (e === 0n) throw frostError("FROST_FORM", "zero challenge")
  return e
}

/** 512 hashed bits reduced modulo n: no bias. */
export const hashToScalar = (prefix: Uint8Array, message: Uint8Array): bigint =>
  Fn.create(bytesToNumberBE(keccak_512(concatBytes(prefix, message))))

const possessionPrefix = (session: string): string => `${SUITE}dkg${session}`

/** Challenge of a proof of possession: dealer, its constant commitment and R, in one session. */
export const possessionChallenge = (
  session: string,
  dealer: PartyIndex,
  constant: Uint8Array,
  R: Uint8Array,
): bigint =>
  hashToScalar(
    utf8ToBytes(possessionPrefix(session)),
    concatBytes(fromHex(`0x${identifierOf(dealer)}`), constant, R),
  )

/** The suite; `session` separates the proofs of possession of one key generation from those of any other. */
export function frostSuite(session: string): FROST {
  return createFROST({
    name: SUITE,
    Point,
    hash: (message) => keccakBytes(message as Uint8Array) as Uint8Array<ArrayBuffer>,
    hashToScalar: (message, options) => {
      const prefix = options?.DST ?? new Uint8Array()
      const bytes = typeof prefix === "string" ? utf8ToBytes(prefix) : (prefix as Uint8Array)
      return hashToScalar(bytes, message as Uint8Array)
    },
    challenge: (R, P, message) => challengeOf(groupKeyOfPoint(P), message as Uint8Array, addressOfPoint(R)),
    HDKG: possessionPrefix(session),
  })
}

/** Group key as the contracts hold it: x coordinate, and 27 + parity of y. */
export type GroupKey = { readonly groupX: bigint; readonly groupV: 27 | 28 }

function groupKeyOfPoint(point: CurvePoint): GroupKey {
  const { x, y } = point.toAffine()
  if (x === 0n || x >= N) throw frostError("FROST_GROUP_KEY", "x of a group key must be in 1..n-1")
  return { groupX: x, groupV: y & 1n ? 28 : 27 }
}

/** Public result of a key generation; the same at every party. Points are compressed, 33 bytes. */
export type PublicKeyPackage = {
  readonly n: number
  readonly quorum: number
  /** Commitments to the joint polynomial, `quorum` of them; the first is the group key. */
  readonly commitments: readonly Uint8Array[]
  /** By party index − 1. */
  readonly verificationShares: readonly Uint8Array[]
}

/** @throws FROST_FORM, FROST_GROUP_KEY */
export function groupKey(publicKey: PublicKeyPackage): GroupKey {
  const point = parsePoint(publicKey.commitments[0] ?? new Uint8Array())
  if (point === null) throw frostError("FROST_FORM", "the first commitment is not a point")
  return groupKeyOfPoint(point)
}

/** A group signature as it goes on chain: `r` is the address of the point R. */
export type GroupSignature = { readonly r: Address; readonly s: bigint }

/** noble's 65 bytes R ‖ z as (address(R), s). @throws FROST_FORM */
export function toEthereum(signature: Uint8Array): GroupSignature {
  const point = parsePoint(signature.subarray(0, POINT_BYTES))
  if (point === null || signature.length !== POINT_BYTES + SCALAR_BYTES)
    throw frostError("FROST_FORM", "want 65 bytes, a compressed point and a scalar")
  return { r: addressOfPoint(point), s: bytesToNumberBE(signature.subarray(POINT_BYTES)) }
}

/**
 * True where `signature` is of `key` over `message`: address(s·G − e·P) = r. Every bound that the contract checks is
 * checked here, too: without them r = 0 or x ≥ n would let forgeries through.
 */
export function verifyGroupSignature(
  key: GroupKey,
  message: Digest,
  signature: GroupSignature,
  { sum, addressOf }: CurveKernel = nobleCurve,
): boolean {
  const { groupX, groupV } = key
  const { r, s } = signature
  if (groupX <= 0n || groupX >= N || (groupV !== 27 && groupV !== 28)) return false
  if (/^0x0{40}$/.test(r) || s <= 0n || s >= N) return false
  const P = concatBytes(Uint8Array.of(groupV - 25), abiWord(groupX))
  const minus = Fn.neg(challengeOf(key, fromHex(message), r))
  const R = sum(concatBytes(GENERATOR, P), concatBytes(abiWord(s), abiWord(minus)))
  return R !== null && addressOf(R) === r
}

/**
 * A party's share of the group's signing key.
 * **Security:** MUST NOT leave the enclave unsealed. Redacted in JSON and strings.
 */
export class FrostKeyShare {
  readonly party: PartyIndex
  readonly #signingShare: Uint8Array

  /** @throws FROST_KEY_SHARE unless 32 bytes in 1..n−1. */
  constructor(party: PartyIndex, signingShare: Uint8Array) {
    if (scalarOf(signingShare) === null || scalarOf(signingShare) === 0n)
      throw frostError("FROST_KEY_SHARE", "a signing share is 32 bytes in 1..n-1")
    this.party = party
    this.#signingShare = Uint8Array.from(signingShare)
  }

  /** Lends the secret bytes; they must not be kept. */
  use<T>(lend: (signingShare: Uint8Array) => T): T {
    return lend(this.#signingShare)
  }

  /** party(1) ‖ share(32), for the sealed store only. */
  encode(): Uint8Array {
    return concatBytes(Uint8Array.of(this.party), this.#signingShare)
  }

  /** @throws FROST_KEY_SHARE and the codes of codec.ts and ids.ts */
  static decode(bytes: Uint8Array): FrostKeyShare {
    const reader = new Reader(bytes)
    const share = new FrostKeyShare(parsePartyIndex(reader.uint(1), MAX_PARTIES), reader.take(SCALAR_BYTES))
    reader.end()
    return share
  }

  wipe(): void {
    this.#signingShare.fill(0)
  }

  toJSON(): string {
    return "[FrostKeyShare]"
  }
}

/** noble's name of a party. */
export const identifierOf = (party: PartyIndex): string => party.toString(16).padStart(2 * SCALAR_BYTES, "0")

/** Σ commitments[k]·x^k: what a dealer's commitments say about the share of the party at x. */
export function evaluateInExponent(commitments: readonly CurvePoint[], party: PartyIndex): CurvePoint {
  const x = BigInt(party)
  return commitments.reduceRight((sum, point) => sum.multiplyUnsafe(x).add(point), Point.ZERO)
}

/** n(1) ‖ quorum(1) ‖ commitments ‖ verification shares. */
export function encodePublicKeyPackage(publicKey: PublicKeyPackage): Uint8Array {
  const { n, quorum, commitments, verificationShares } = publicKey
  const writer = new Writer().uint(1, n).uint(1, quorum)
  for (const point of [...commitments, ...verificationShares]) writer.raw(point)
  return writer.done()
}

/** @throws FROST_FORM where the verification shares do not follow from the commitments, and the codes of codec.ts. */
export function decodePublicKeyPackage(bytes: Uint8Array): PublicKeyPackage {
  const reader = new Reader(bytes)
  const [n, quorum] = [reader.uint(1), reader.uint(1)]
  if (n > MAX_PARTIES || quorum < 2 || quorum > n)
    throw frostError("FROST_FORM", `want 2 <= quorum <= n <= ${MAX_PARTIES}, got quorum ${quorum} n ${n}`)
  const points = (count: number) => Array.from({ length: count }, () => reader.take(POINT_BYTES))
  const [commitments, verificationShares] = [points(quorum), points(n)]
  reader.end()
  const parsed = commitments.map(parsePoint)
  const joint = parsed.flatMap((point) => (point === null ? [] : [point]))
  const consistent = verificationShares.every(
    (share, i) => toHex(evaluateInExponent(joint, parsePartyIndex(i + 1, n)).toBytes()) === toHex(share),
  )
  if (joint.length !== quorum || !consistent)
    throw frostError("FROST_FORM", "verification shares do not follow from the commitments")
  return { n, quorum, commitments, verificationShares }
}
