/**
 * Signing with FROST (RFC 9591 §5, protocol §6): one round of commitments made ahead of time, one of signature shares.
 * The signer list is part of what is signed for: a share answers exactly one (list, message). Whoever collects shares must
 * have each sender's signature over (list, message, share), or blame could fall on a party that signed for another list.
 *
 * Secret inputs: key share and nonces. Nonces live in memory only and are consumed by the first use, successful or not:
 * three uses of one pair reveal the key share by linear algebra.
 */
import type { FrostPublic, NonceCommitments, Nonces } from "@noble/curves/abstract/frost.js"
import { concatBytes, fromHex } from "../protocol/codec.ts"
import type { Digest, PartyIndex } from "../protocol/ids.ts"
import type { Rng } from "../protocol/rng.ts"
import {
  type FrostKeyShare,
  frostError,
  frostSuite,
  groupKey,
  identifierOf,
  POINT_BYTES,
  type PublicKeyPackage,
  parsePoint,
  scalarOf,
  toEthereum,
  verifyGroupSignature,
} from "./frost.ts"

const suite = frostSuite("")

/** A signer's commitment pair in the list of one signing: hiding ‖ binding, 66 bytes. */
export type SignerCommitment = { readonly party: PartyIndex; readonly commitment: Uint8Array }

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

/** Fresh nonces; needs no message, so they can be made ahead of time. */
export function createNonces(keyShare: FrostKeyShare, rng: Rng): SigningNonces {
  const identifier = identifierOf(keyShare.party)
  const { nonces, commitments } = keyShare.use((signingShare) =>
    suite.commit({ identifier, signingShare }, (length = 32) => rng(length) as Uint8Array<ArrayBuffer>),
  )
  return new SigningNonces(concatBytes(commitments.hiding, commitments.binding), nonces)
}

/** Checks a received pair. @throws FROST_COMMITMENT naming the sender. */
export function assertCommitment({ party, commitment }: SignerCommitment): void {
  const points = [commitment.subarray(0, POINT_BYTES), commitment.subarray(POINT_BYTES)]
  if (points.some((bytes) => parsePoint(bytes) === null))
    throw frostError("FROST_COMMITMENT", "a commitment pair is two compressed points", [party])
}

/** Checks the form of a received signature share. @throws FROST_SHARE_RANGE naming the sender. */
export function assertShareRange(party: PartyIndex, share: Uint8Array): void {
  if (scalarOf(share) === null)
    throw frostError("FROST_SHARE_RANGE", "a signature share is 32 bytes below n", [party])
}

/** @throws FROST_FORM unless the list ascends, stays in 1..n and holds at least a quorum; FROST_COMMITMENT */
function assertList(publicKey: PublicKeyPackage, list: readonly SignerCommitment[]): void {
  const { n, quorum } = publicKey
  const ascends = list.every(
    ({ party }, i) => party >= 1 && party <= n && (i === 0 || party > (list[i - 1]?.party ?? n)),
  )
  if (!ascends || list.length < quorum)
    throw frostError(
      "FROST_FORM",
      `want at least ${quorum} ascending signers of 1..${n}, got ${list.map(({ party }) => party).join(", ")}`,
    )
  for (const signer of list) assertCommitment(signer)
}

const nobleList = (list: readonly SignerCommitment[]): NonceCommitments[] =>
  list.map(({ party, commitment }) => ({
    identifier: identifierOf(party),
    hiding: commitment.slice(0, POINT_BYTES),
    binding: commitment.slice(POINT_BYTES),
  }))

const noblePublic = (publicKey: PublicKeyPackage): FrostPublic => ({
  signers: { min: publicKey.quorum, max: publicKey.n },
  commitments: publicKey.commitments.map((point) => Uint8Array.from(point)),
  verifyingShares: Object.fromEntries(
    publicKey.verificationShares.map((point, i) => [
      identifierOf((i + 1) as PartyIndex),
      Uint8Array.from(point),
    ]),
  ),
})

/** What a signing is about. */
export type Signing = {
  readonly publicKey: PublicKeyPackage
  /** Ascending by party; the parties are the bitmap inside the message. */
  readonly list: readonly SignerCommitment[]
  readonly message: Digest
}

/**
 * This party's signature share, 32 bytes. The nonces are consumed first, whatever happens.
 * **Security:** the caller has checked the message, that the list equals the bitmap inside it, and every listed signer's
 * standing (protocol §6.3).
 * @throws FROST_NONCE_USED, FROST_FORM, FROST_COMMITMENT
 */
export function createSignatureShare(
  signing: Signing,
  keyShare: FrostKeyShare,
  signingNonces: SigningNonces,
): Uint8Array {
  const nonces = signingNonces.consume()
  try {
    const { publicKey, list, message } = signing
    assertList(publicKey, list)
    const own = list.find(({ party }) => party === keyShare.party)?.commitment
    if (own === undefined || own.some((byte, i) => byte !== signingNonces.commitment[i]))
      throw frostError("FROST_FORM", `the list does not carry the commitment of party ${keyShare.party}`)
    const identifier = identifierOf(keyShare.party)
    return keyShare.use((signingShare) =>
      suite.signShare(
        { identifier, signingShare },
        noblePublic(publicKey),
        nonces,
        nobleList(list),
        fromHex(message),
      ),
    )
  } finally {
    nonces.hiding.fill(0)
    nonces.binding.fill(0)
  }
}

/**
 * True where `share` is the party's valid answer for exactly this list and message.
 * @throws FROST_FORM, FROST_COMMITMENT, FROST_SHARE_RANGE
 */
export function verifySignatureShare(signing: Signing, party: PartyIndex, share: Uint8Array): boolean {
  const { publicKey, list, message } = signing
  assertList(publicKey, list)
  assertShareRange(party, share)
  if (!list.some((signer) => signer.party === party)) return false
  return suite.verifyShare(
    noblePublic(publicKey),
    nobleList(list),
    fromHex(message),
    identifierOf(party),
    share,
  )
}

/**
 * The group signature, 65 bytes R ‖ z, checked against the group key before it is returned.
 * @throws FROST_FORM where a listed signer's share is missing, FROST_COMMITMENT, FROST_SHARE_RANGE, FROST_SHARE_INVALID
 */
export function aggregate(signing: Signing, shares: ReadonlyMap<PartyIndex, Uint8Array>): Uint8Array {
  const { publicKey, list, message } = signing
  assertList(publicKey, list)
  const listed = list.map(({ party }) => {
    const share = shares.get(party)
    if (share === undefined) throw frostError("FROST_FORM", `no signature share of listed party ${party}`)
    return [party, share] as const
  })
  const outside = listed.filter(([, share]) => scalarOf(share) === null).map(([party]) => party)
  if (outside.length > 0)
    throw frostError("FROST_SHARE_RANGE", "a signature share is 32 bytes below n", outside)
  const signature = tryAggregate(signing, listed)
  if (signature !== null && verifyGroupSignature(groupKey(publicKey), message, toEthereum(signature)))
    return signature
  const liars = listed.filter(([party, share]) => !verifySignatureShare(signing, party, share))
  throw frostError(
    "FROST_SHARE_INVALID",
    "signature shares do not verify for this list and message",
    liars.map(([party]) => party),
  )
}

function tryAggregate(
  { publicKey, list, message }: Signing,
  shares: readonly (readonly [PartyIndex, Uint8Array])[],
): Uint8Array | null {
  const named = Object.fromEntries(shares.map(([party, share]) => [identifierOf(party), share]))
  try {
    return suite.aggregate(noblePublic(publicKey), nobleList(list), fromHex(message), named)
  } catch {
    return null
  }
}
