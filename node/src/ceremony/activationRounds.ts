/**
 * Activation (protocol §4): all n parties sign the same EIP-712 activation with their seat signers, the first quorum
 * signs the same digest with the group key, and the lowest live party brings it to the chain.
 *
 * Security: the root of this party's randomness is gone, both shares are sealed and the party is marked as signed before
 * its signature leaves. From then on nothing
 * but the chain ends the attempt, since others may hold all n signatures.
 */
import { concatBytes, Reader, taggedHash } from "@twinlock/sdk/protocol/codec"
import { partyIndexes, quorum, signerOf } from "@twinlock/sdk/protocol/committee"
import {
  hashKeyActivation,
  type KeyActivation,
  type SigningDomain,
  typedDigest,
} from "@twinlock/sdk/protocol/eip712"
import type { Digest } from "@twinlock/sdk/protocol/ids"
import type { Rng } from "@twinlock/sdk/protocol/rng"
import { SIGNATURE_BYTES, verifySignature } from "@twinlock/sdk/protocol/signature"
import { POINT_BYTES } from "@twinlock/sdk/threshold/curve"
import {
  type FrostKeyShare,
  type GroupSignature,
  groupKey,
  type PublicKeyPackage,
  toEthereum,
} from "@twinlock/sdk/threshold/frost"
import { assertCommitment, type SignerCommitment } from "@twinlock/sdk/threshold/frostRound"
import {
  aggregate,
  createNonces,
  createSignatureShare,
  type SigningNonces,
} from "@twinlock/sdk/threshold/frostSign"
import { Secret } from "../secret.ts"
import type { Attempt, SeatSigner } from "./attempt.ts"
import type { Crs } from "./crsRounds.ts"
import type { KeyShare } from "./engine.ts"
import type { KeyMaterial } from "./keyRounds.ts"
import { broadcastOf, eachParty, publicMessage, type Round, type Slot } from "./rounds.ts"
import type { ShareVault } from "./shareVault.ts"
import type { RoundSpec } from "./state.ts"

/** The group's signing key as this party holds it. */
export type SigningKey = { readonly keyShare: FrostKeyShare; readonly publicKey: PublicKeyPackage }

/** Everything `KeyRegistry.activate` takes. Public data. */
export type SignedActivation = {
  readonly activation: KeyActivation
  readonly digest: Digest
  /** By party index − 1. */
  readonly signatures: readonly Uint8Array[]
  readonly groupSignature: GroupSignature
}

/** Names everything that was agreed on before the signatures. @param last digest of the round before them */
export const transcriptDigestOf = ({ committee, attempt, proposalDigest }: Attempt, last: Digest): Digest =>
  taggedHash("twinlock/transcript/v1", committee.keyId, attempt, proposalDigest, last)

export const ACTIVATION_ROUND = "activation"
const COMMITMENT_BYTES = 2 * POINT_BYTES

export type ActivationDeps = {
  /** Domain of the key's verifier. */
  readonly signing: SigningDomain
  readonly sign: SeatSigner
  readonly vault: ShareVault
  /** Wipes all that could replay this party's ceremony, for good. */
  readonly eraseRoot: () => void
  readonly rng: Rng
  readonly timeoutMs: number
  readonly material: Slot<KeyMaterial>
  readonly crs: Slot<Crs>
  readonly share: Slot<KeyShare>
  readonly signingKey: Slot<SigningKey>
  /** Set when this party is about to sign. */
  readonly unsigned: Slot<{ readonly activation: KeyActivation; readonly digest: Digest }>
  readonly signed: Slot<SignedActivation>
  readonly nonces: Slot<SigningNonces>
}

export function activationRounds(attempt: Attempt, deps: ActivationDeps): readonly Round[] {
  const { committee, self } = attempt
  const parties = partyIndexes(committee)
  const signers = parties.slice(0, quorum(committee))
  let signatures: readonly Uint8Array[] = []
  let list: readonly SignerCommitment[] = []
  const spec = (name: string, speakers: RoundSpec["speakers"], maxBroadcast: number): RoundSpec => ({
    name,
    speakers,
    maxBroadcast,
    maxSealed: 0,
    timeoutMs: deps.timeoutMs,
    binding: true,
    kept: true,
  })

  function activationOf(last: Digest): KeyActivation {
    const { publicKeyDigest, serverKeyDigest } = deps.material.get()
    const { groupX, groupV } = groupKey(deps.signingKey.get().publicKey)
    return {
      keyId: committee.keyId,
      epoch: committee.epoch,
      publicKeyDigest,
      serverKeyDigest,
      crsDigest: deps.crs.get().digest,
      transcriptDigest: transcriptDigestOf(attempt, last),
      groupX,
      groupV,
    }
  }

  const members: Round = {
    spec: spec(ACTIVATION_ROUND, parties, SIGNATURE_BYTES + COMMITMENT_BYTES),
    async produce(last) {
      deps.eraseRoot()
      const activation = activationOf(last)
      const digest = typedDigest(deps.signing, hashKeyActivation(activation))
      deps.unsigned.set({ activation, digest })
      const { keyShare, publicKey } = deps.signingKey.get()
      const nonces = createNonces(keyShare, deps.rng)
      deps.nonces.set(nonces)
      const seat = { keyId: committee.keyId, epoch: committee.epoch, party: self }
      const frost = new Secret(keyShare.encode())
      try {
        await deps.vault.commit(seat, deps.share.get(), frost, publicKey)
      } finally {
        frost.wipe()
      }
      return publicMessage(concatBytes(await deps.sign(digest), nonces.commitment))
    },
    async consume(incoming) {
      const { digest } = deps.unsigned.get()
      await eachParty(incoming, (party, broadcast) => {
        const { signature, commitment } = splitActivation(broadcast)
        verifySignature(digest, signature, signerOf(committee, party))
        assertCommitment({ party, commitment })
      })
      const split = parties.map((party) => ({ party, ...splitActivation(broadcastOf(incoming, party)) }))
      signatures = split.map(({ signature }) => signature)
      list = split.slice(0, signers.length).map(({ party, commitment }) => ({ party, commitment }))
    },
  }

  const group: Round = {
    spec: spec("group-signature", signers, 32),
    async produce() {
      const { keyShare, publicKey } = deps.signingKey.get()
      const message = deps.unsigned.get().digest
      return publicMessage(createSignatureShare({ publicKey, list, message }, keyShare, deps.nonces.get()))
    },
    async consume(incoming) {
      const { activation, digest } = deps.unsigned.get()
      const { publicKey } = deps.signingKey.get()
      const signature = aggregate({ publicKey, list, message: digest }, incoming.broadcasts)
      deps.signed.set({ activation, digest, signatures, groupSignature: toEthereum(signature) })
    },
  }
  return [members, group]
}

/** @throws CodecErrorCode unless a signature and a commitment pair, nothing else */
export function splitActivation(broadcast: Uint8Array): {
  readonly signature: Uint8Array
  readonly commitment: Uint8Array
} {
  const reader = new Reader(broadcast)
  const parts = { signature: reader.take(SIGNATURE_BYTES), commitment: reader.take(COMMITMENT_BYTES) }
  reader.end()
  return parts
}
