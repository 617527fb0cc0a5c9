/**
 * Signing with FROST (RFC 9591 §5, protocol §6): one round of commitments made ahead of time, one of signature shares.
 * The signer list is part of what is signed for: a share answers exactly one (list, message). Whoever collects shares must
 * have each sender's signature over (list, message, share), or blame could fall on a party that signed for another list.
 *
 * Secret inputs: key share and nonces. Nonces live in memory only and are consumed by the first use, successful or not:
 * three uses of one pair reveal the key share by linear algebra.
 */
import { bytesToNumberBE } from "@noble/curves/utils.js"
import { concatBytes, utf8ToBytes } from "../protocol/codec.ts"
import type { PartyIndex } from "../protocol/ids.ts"
import type { Rng } from "../protocol/rng.ts"
import { type CurveKernel, Fn, nobleCurve, POINT_BYTES, SCALAR_BYTES, scalarOf } from "./curve.ts"
import { type FrostKeyShare, frostError, hashToScalar, SUITE } from "./frost.ts"
import {
  holdsShare,
  holdsSignature,
  type Signing,
  type SigningRound,
  shareScalar,
  signingRound,
} from "./frostRound.ts"

/** Prefix of H3. */
const NONCE = utf8ToBytes(`${SUITE}nonce`)

/** Two scalars of 32 bytes. */
export type Nonces = { readonly hiding: Uint8Array; readonly binding: Uint8Array }

/** Nonces of one commitment pair. **Security:** never stored, never copied; redacted in JSON. */
export class SigningNonces {
  /** What the party publishes: hiding ‖ binding, 66 bytes. */
  readonly commitment: Uint8Array
  #nonces: Nonces | null

  constructor(commitment: Uint8Array, nonces: Nonces) {
    this.commitment = commitment
    this.#nonces = nonces
  }

  /** The nonces, for the last time. @throws FROST_NONCE_USED */
  consume(): Nonces {
    const nonces = this.#nonces
    this.#nonces = null
    if (nonces === null) throw frostError("FROST_NONCE_USED", "nonces are used once")
    return nonces
  }

  /** Drops unused nonces, e.g. at the end of an epoch. */
  wipe(): void {
    this.#nonces?.hiding.fill(0)
    this.#nonces?.binding.fill(0)
    this.#nonces = null
  }

  toJSON(): string {
    return "[SigningNonces]"
  }
}

/** Fresh nonces (RFC 9591 §4.1: H3 of 32 random bytes and the key share); they need no message, so can be made ahead. */
export function createNonces(
  keyShare: FrostKeyShare,
  rng: Rng,
  curve: CurveKernel = nobleCurve,
): SigningNonces {
  const make = (): Uint8Array =>
    keyShare.use((share) => {
      const random = rng(SCALAR_BYTES)
      const input = concatBytes(random, share)
      const nonce = Fn.toBytes(hashToScalar(NONCE, input))
      input.fill(0)
      random.fill(0)
      return nonce
    })
  const [hiding, binding] = [make(), make()]
  try {
    const points = [curve.multiple(hiding), curve.multiple(binding)]
    const commitment = concatBytes(...points.flatMap((point) => point ?? []))
    if (commitment.length !== 2 * POINT_BYTES) throw frostError("FROST_FORM", "a nonce is zero")
    return new SigningNonces(commitment, { hiding, binding })
  } catch (error) {
    hiding.fill(0)
    binding.fill(0)
    throw error
  }
}

/**
 * This party's signature share, 32 bytes: z = d + ρ·e + c·λ·s. The nonces are consumed first, whatever happens.
 * **Security:** the caller has checked the message, that the list equals the bitmap inside it, and every listed signer's
 * standing (protocol §6.3).
 * @param curve a faster kernel for the public part
 * @throws FROST_NONCE_USED, FROST_FORM, FROST_COMMITMENT
 */
export function createSignatureShare(
  signing: Signing,
  keyShare: FrostKeyShare,
  signingNonces: SigningNonces,
  curve: CurveKernel = nobleCurve,
): Uint8Array {
  const nonces = signingNonces.consume()
  const { party } = keyShare
  try {
    const own = signing.list.find((signer) => signer.party === party)?.commitment
    const round = signingRound(signing, curve)
    if (own === undefined || own.some((byte, i) => byte !== signingNonces.commitment[i]))
      throw frostError("FROST_FORM", `the list does not carry the commitment of party ${party}`)
    const weight = Fn.mul(round.challenge, round.coefficients.get(party) ?? 0n)
    const hiding = bytesToNumberBE(nonces.hiding)
    const binding = Fn.mul(bytesToNumberBE(nonces.binding), round.factors.get(party) ?? 0n)
    return keyShare.use((secret) => {
      const share = Fn.mul(weight, bytesToNumberBE(secret))
      return Fn.toBytes(Fn.add(Fn.add(hiding, binding), share))
    })
  } finally {
    nonces.hiding.fill(0)
    nonces.binding.fill(0)
  }
}

/**
 * True where `share` is the party's valid answer for exactly this list and message.
 * @throws FROST_FORM, FROST_COMMITMENT, FROST_SHARE_RANGE
 */
export function verifySignatureShare(
  signing: Signing,
  party: PartyIndex,
  share: Uint8Array,
  curve: CurveKernel = nobleCurve,
): boolean {
  const round = signingRound(signing, curve)
  return holdsShare(signing, round, party, shareScalar(party, share), curve)
}

/**
 * The group signature, 65 bytes R ‖ z, checked against the group key before it is returned.
 * @throws FROST_FORM where a listed signer's share is missing, FROST_COMMITMENT, FROST_SHARE_RANGE, FROST_SHARE_INVALID
 */
export function aggregate(
  signing: Signing,
  shares: ReadonlyMap<PartyIndex, Uint8Array>,
  curve: CurveKernel = nobleCurve,
): Uint8Array {
  const round = signingRound(signing, curve)
  const listed = signing.list.map(({ party }) => {
    const share = shares.get(party)
    if (share === undefined) throw frostError("FROST_FORM", `no signature share of listed party ${party}`)
    return [party, share] as const
  })
  const outside = listed.filter(([, share]) => scalarOf(share) === null).map(([party]) => party)
  if (outside.length > 0)
    throw frostError("FROST_SHARE_RANGE", "a signature share is 32 bytes below n", outside)
  const scalars = listed.map(([party, share]) => [party, shareScalar(party, share)] as const)
  const z = scalars.reduce((total, [, share]) => Fn.add(total, share), 0n)
  if (holdsSignature(signing, round, z, curve)) return concatBytes(round.groupCommitment, Fn.toBytes(z))
  throw frostError(
    "FROST_SHARE_INVALID",
    "signature shares do not verify for this list and message",
    liarsOf(signing, round, scalars, curve),
  )
}

const liarsOf = (
  signing: Signing,
  round: SigningRound,
  shares: readonly (readonly [PartyIndex, bigint])[],
  curve: CurveKernel,
): readonly PartyIndex[] =>
  shares.filter(([party, z]) => !holdsShare(signing, round, party, z, curve)).map(([party]) => party)
