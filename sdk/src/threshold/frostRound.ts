import { bytesToNumberBE } from "@noble/curves/utils.js"
import { abiWord, concatBytes, fromHex, keccakBytes, utf8ToBytes } from "../protocol/codec.ts"
import type { Digest, PartyIndex } from "../protocol/ids.ts"
import { type CurveKernel, Fn, nobleCurve, POINT_BYTES, scalarOf } from "./curve.ts"
import {
  challengeOf,
  frostError,
  GENERATOR,
  groupKey,
  hashToScalar,
  type PublicKeyPackage,
  SUITE,
} from "./frost.ts"

/** A signer's commitment pair in the list of one signing: hiding ‖ binding, 66 bytes. */
export type SignerCommitment = { readonly party: PartyIndex; readonly commitment: Uint8Array }

/** What a signing is about. */
export type Signing = {
  readonly publicKey: PublicKeyPackage
  /** Ascending by party; the parties are the bitmap inside the message. */
  readonly list: readonly SignerCommitment[]
  readonly message: Digest
}

/** Shared values of one signing. */
export type SigningRound = {
  readonly factors: ReadonlyMap<PartyIndex, bigint>
  /** R, compressed. */
  readonly groupCommitment: Uint8Array
  readonly challenge: bigint
  /** Lagrange coefficient at 0 of each listed party. */
  readonly coefficients: ReadonlyMap<PartyIndex, bigint>
}

const PAIR_BYTES = 2 * POINT_BYTES
const ONE = abiWord(1n)

/** Checks a received pair. @throws FROST_COMMITMENT naming the sender. */
export function assertCommitment(
  { party, commitment }: SignerCommitment,
  { sum }: CurveKernel = nobleCurve,
): void {
  const points = [commitment.subarray(0, POINT_BYTES), commitment.subarray(POINT_BYTES)]
  if (points.some((bytes) => sum(bytes, ONE) === null))
    throw frostError("FROST_COMMITMENT", "a commitment pair is two compressed points", [party])
}

/** @throws FROST_FORM unless the list ascends, stays in 1..n and holds at least a quorum; FROST_COMMITMENT for a length */
function assertList({ n, quorum }: PublicKeyPackage, list: readonly SignerCommitment[]): void {
  const ascends = list.every(
    ({ party }, i) => party >= 1 && party <= n && (i === 0 || party > (list[i - 1]?.party ?? n)),
  )
  if (!ascends || list.length < quorum)
    throw frostError(
      "FROST_FORM",
      `want at least ${quorum} ascending signers of 1..${n}, got ${list.map(({ party }) => party).join(", ")}`,
    )
  const wrong = list.filter(({ commitment }) => commitment.length !== PAIR_BYTES).map(({ party }) => party)
  if (wrong.length > 0)
    throw frostError("FROST_COMMITMENT", "a commitment pair is two compressed points", wrong)
}

function bindingFactors({ publicKey, list, message }: Signing): ReadonlyMap<PartyIndex, bigint> {
  const hash = (name: string, bytes: Uint8Array) => keccakBytes(concatBytes(utf8ToBytes(SUITE + name), bytes))
  const encoded = concatBytes(...list.flatMap(({ party, commitment }) => [abiWord(party), commitment]))
  const prefix = concatBytes(
    publicKey.commitments[0] ?? new Uint8Array(),
    hash("msg", fromHex(message)),
    hash("com", encoded),
  )
  const tag = utf8ToBytes(`${SUITE}rho`)
  return new Map(
    list.map(({ party }) => [party, hashToScalar(tag, concatBytes(prefix, abiWord(party)))] as const),
  )
}

/** λ_i = Π j / (j − i) over the other listed parties; one inversion for all. */
function lagrange(parties: readonly PartyIndex[]): ReadonlyMap<PartyIndex, bigint> {
  const fractions = parties.map((i) => {
    const others = parties.filter((j) => j !== i)
    const over = others.reduce((product, j) => product * BigInt(j), 1n)
    const under = others.reduce((product, j) => product * BigInt(j - i), 1n)
    return [i, Fn.create(over), Fn.create(under)] as const
  })
  const inverses = Fn.invertBatch(fractions.map(([, , under]) => under))
  return new Map(fractions.map(([i, over], k) => [i, Fn.mul(over, inverses[k] ?? 0n)] as const))
}

/** @throws FROST_FORM, FROST_GROUP_KEY, FROST_COMMITMENT naming every sender of a malformed pair. */
export function signingRound(signing: Signing, curve: CurveKernel = nobleCurve): SigningRound {
  const { publicKey, list, message } = signing
  assertList(publicKey, list)
  const factors = bindingFactors(signing)
  const groupCommitment = curve.sum(
    concatBytes(...list.map(({ commitment }) => commitment)),
    concatBytes(...list.flatMap(({ party }) => [ONE, abiWord(factors.get(party) ?? 0n)])),
  )
  if (groupCommitment === null) {
    for (const signer of list) assertCommitment(signer, curve)
    throw frostError("FROST_FORM", "the commitments of the list cancel each other out")
  }
  const r = curve.addressOf(groupCommitment)
  if (r === null) throw frostError("FROST_FORM", "the group commitment is not a point")
  return {
    factors,
    groupCommitment,
    challenge: challengeOf(groupKey(publicKey), fromHex(message), r),
    coefficients: lagrange(list.map(({ party }) => party)),
  }
}

/** True where z·G = D + ρ·E + c·λ·Y of the party. @throws nothing: inputs come from {@link signingRound}. */
export function holdsShare(
  { publicKey, list }: Signing,
  round: SigningRound,
  party: PartyIndex,
  z: bigint,
  { sum }: CurveKernel = nobleCurve,
): boolean {
  const commitment = list.find((signer) => signer.party === party)?.commitment
  const verificationShare = publicKey.verificationShares[party - 1]
  if (commitment === undefined || verificationShare === undefined || z === 0n) return false
  const weight = Fn.mul(round.challenge, round.coefficients.get(party) ?? 0n)
  const want = sum(
    concatBytes(commitment, verificationShare),
    concatBytes(ONE, abiWord(round.factors.get(party) ?? 0n), abiWord(weight)),
  )
  const got = sum(GENERATOR, abiWord(z))
  return want !== null && got?.every((byte, i) => byte === want[i]) === true
}

/** True where z·G − e·P = R: R ‖ z is the group's signature. */
export function holdsSignature(
  { publicKey }: Signing,
  { groupCommitment, challenge }: SigningRound,
  z: bigint,
  { sum }: CurveKernel = nobleCurve,
): boolean {
  const [groupPoint] = publicKey.commitments
  if (groupPoint === undefined || z === 0n) return false
  const R = sum(concatBytes(GENERATOR, groupPoint), concatBytes(abiWord(z), abiWord(Fn.neg(challenge))))
  return R?.every((byte, i) => byte === groupCommitment[i]) === true
}

/** A canonical scalar of a signature share. @throws FROST_SHARE_RANGE naming the sender. */
export function shareScalar(party: PartyIndex, share: Uint8Array): bigint {
  if (scalarOf(share) === null)
    throw frostError("FROST_SHARE_RANGE", "a signature share is 32 bytes below n", [party])
  return bytesToNumberBE(share)
}
