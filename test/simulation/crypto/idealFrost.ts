/**
 * FROST with an ideal functionality in place of its arithmetic: the same forms, single use and refusals. A share is valid
 * for the list and message that it was made for; shares of a whole list make a signature. Uses of nonces are reported.
 */
import { sha256 } from "@noble/hashes/sha2.js"
import { concatBytes, fromHex, toHex, utf8ToBytes } from "../../../sdk/src/protocol/codec.ts"
import type { PartyIndex } from "../../../sdk/src/protocol/ids.ts"
import type { Rng } from "../../../sdk/src/protocol/rng.ts"
import type { CurveKernel } from "../../../sdk/src/threshold/curve.ts"
import { POINT_BYTES } from "../../../sdk/src/threshold/curve.ts"
import { type FrostKeyShare, frostError, toEthereum } from "../../../sdk/src/threshold/frost.ts"
import { type SignerCommitment, type Signing, shareScalar } from "../../../sdk/src/threshold/frostRound.ts"
import * as real from "../../../sdk/src/threshold/frostSign.ts"
import { groupKey, signatureName } from "./idealGroupKey.ts"
import { assertCommitment } from "./idealRound.ts"
import { ledger } from "./ledger.ts"

export * from "../../../sdk/src/threshold/frostSign.ts"

/** Any point: what a signature carries as R. */
const R = fromHex("0x0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")
const R_ADDRESS = toEthereum(concatBytes(R, new Uint8Array(32).fill(1))).r

const listName = (list: readonly SignerCommitment[]): string =>
  list.map(({ party, commitment }) => party + toHex(commitment)).join()

const shareName = ({ list, message }: Signing, party: PartyIndex, share: Uint8Array): string =>
  `share ${party} ${message} ${toHex(share)} ${listName(list)}`

/** A scalar: below the order by its first byte. */
function scalarFrom(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = sha256(concatBytes(...parts))
  bytes[0] = 1
  return bytes
}

export function createNonces(
  keyShare: FrostKeyShare,
  rng: Rng,
  ...curve: [CurveKernel?]
): real.SigningNonces {
  if (ledger.real) return real.createNonces(keyShare, rng, ...curve)
  const [hiding, binding] = [rng(32), rng(32)]
  const point = (nonce: Uint8Array): Uint8Array => concatBytes(Uint8Array.of(2), sha256(nonce))
  const commitment = concatBytes(point(hiding), point(binding))
  ledger.pairs.add(toHex(commitment))
  return new real.SigningNonces(commitment, { hiding, binding })
}

function assertList({ publicKey, list }: Signing): void {
  const { n, quorum } = publicKey
  const ascends = list.every(({ party }, i) => party <= n && party > (list[i - 1]?.party ?? 0))
  if (!ascends || list.length < quorum)
    throw frostError("FROST_FORM", `want at least ${quorum} ascending signers`)
  for (const signer of list) assertCommitment(signer)
}

export function createSignatureShare(
  signing: Signing,
  keyShare: FrostKeyShare,
  signingNonces: real.SigningNonces,
  ...curve: [CurveKernel?]
): Uint8Array {
  const { list, message } = signing
  const { party } = keyShare
  ledger.onNonceUse({ party, commitment: toHex(signingNonces.commitment), list: listName(list), message })
  if (ledger.real) return real.createSignatureShare(signing, keyShare, signingNonces, ...curve)
  const { hiding, binding } = signingNonces.consume()
  assertList(signing)
  const own = list.find((signer) => signer.party === party)?.commitment
  if (own === undefined || toHex(own) !== toHex(signingNonces.commitment))
    throw frostError("FROST_FORM", `the list does not carry the commitment of party ${party}`)
  const content = utf8ToBytes(`${listName(list)} ${message}`)
  const share = keyShare.use((secret) => scalarFrom(secret, hiding, binding, content))
  ledger.valid.add(shareName(signing, party, share))
  return share
}

export function verifySignatureShare(
  signing: Signing,
  party: PartyIndex,
  share: Uint8Array,
  ...curve: [CurveKernel?]
): boolean {
  if (ledger.real) return real.verifySignatureShare(signing, party, share, ...curve)
  assertList(signing)
  shareScalar(party, share)
  return ledger.valid.has(shareName(signing, party, share))
}

export function aggregate(
  signing: Signing,
  shares: ReadonlyMap<PartyIndex, Uint8Array>,
  ...curve: [CurveKernel?]
): Uint8Array {
  if (ledger.real) return real.aggregate(signing, shares, ...curve)
  assertList(signing)
  const { publicKey, list, message } = signing
  const listed = list.map(({ party }) => {
    const share = shares.get(party)
    if (share === undefined) throw frostError("FROST_FORM", `no signature share of listed party ${party}`)
    return [party, share] as const
  })
  const liars = listed.filter(([party, share]) => !ledger.valid.has(shareName(signing, party, share)))
  if (liars.length > 0)
    throw frostError(
      "FROST_SHARE_INVALID",
      "signature shares do not verify",
      liars.map(([party]) => party),
    )
  const z = scalarFrom(...listed.map(([, share]) => share))
  const { groupX } = groupKey(publicKey)
  ledger.valid.add(signatureName(groupX, message, R_ADDRESS, BigInt(toHex(z))))
  return concatBytes(R.subarray(0, POINT_BYTES), z)
}
