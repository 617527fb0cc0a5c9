/**
 * What a party keeps of a key (protocol §4, §9): its share of the decryption key, its share of the group's signing key,
 * and two durable flags. The decryption share is sealed inside the native addon under the epoch's sealing key before it
 * enters the store; it exists in no other form outside the addon.
 *
 * Security: `signed` and `revealed` exclude each other for good: a party that signed an activation never reveals its
 * root for blame, one that revealed never signs (keygen.md, amendment 5). A reveal needs a discard that is final.
 */
import { abiEncode, tagHash } from "@twinlock/sdk/protocol/codec"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import type { KeyId } from "@twinlock/sdk/protocol/ids"
import type { Rng } from "@twinlock/sdk/protocol/rng"
import {
  decodePublicKeyPackage,
  encodePublicKeyPackage,
  FrostKeyShare,
  type PublicKeyPackage,
} from "@twinlock/sdk/threshold/frost"
import type { Seat } from "../chain/chainView.ts"
import type { Secret } from "../secret.ts"
import type { SealedStore } from "../storage/sealedStore.ts"
import type { FinalDiscard } from "./blame/finalDiscard.ts"
import type { KeyShare } from "./engine.ts"

export type VaultErrorCode =
  /** this key was attempted before by this node: attempts are never resumed. */
  | "CEREMONY_ATTEMPTED"
  /** a party that signed an activation must not reveal, one that revealed must not sign. */
  | "CEREMONY_SIGNED_OR_REVEALED"
  /** this node holds no share of the key. */
  | "SHARE_NOT_STORED"

/** Record kinds in the sealed store; ids are `<key id>` or `<key id>/<epoch>`. */
export const KEY_SHARE_KIND = "key-share"
export const FROST_SHARE_KIND = "frost-share"
const FROST_PUBLIC_KIND = "frost-public"
const ATTEMPT_KIND = "ceremony-attempt"
const FATE_KIND = "ceremony-fate"

const SIGNED = 1
const REVEALED = 2
/** Tells an attempt of this process from one of an earlier process. */
const TOKEN_BYTES = 16

export const seatName = ({ keyId, epoch }: Pick<Seat, "keyId" | "epoch">): string => `${keyId}/${epoch}`

/** Bound to the sealed bytes: a share opens only for its own seat. */
export const shareContext = ({ keyId, epoch, party }: Seat): Uint8Array =>
  abiEncode(tagHash("twinlock/key-share/v1"), keyId, epoch, party)

export type ShareVault = {
  /** Marks the key as attempted. @throws CEREMONY_ATTEMPTED where it was already, also by an earlier process */
  begin(keyId: KeyId): Promise<void>
  /**
   * Seals both shares, then marks the key as signed. Call before the activation signature leaves.
   * @throws CEREMONY_SIGNED_OR_REVEALED
   */
  commit(seat: Seat, share: KeyShare, frost: Secret<Uint8Array>, frostPublic: PublicKeyPackage): Promise<void>
  /** The sealed share of a seat with the context that it is bound to. @throws SHARE_NOT_STORED */
  sealedShare(seat: Seat): Promise<{ readonly sealed: Uint8Array; readonly context: Uint8Array }>
  /** The seat's share of the group's signing key and the group's public package. @throws SHARE_NOT_STORED */
  openSigningKey(
    seat: Pick<Seat, "keyId" | "epoch">,
  ): Promise<{ readonly frostShare: FrostKeyShare; readonly frostPublic: PublicKeyPackage }>
  /** Must succeed before the root of this party leaves for blame. @throws CEREMONY_SIGNED_OR_REVEALED */
  reveal(discard: FinalDiscard): Promise<void>
  /** Forgets the shares of a key that the chain has ruled out. */
  remove(seat: Pick<Seat, "keyId" | "epoch">): Promise<void>
  /** Seats with stored shares, as `<key id>/<epoch>`. */
  stored(): Promise<readonly string[]>
}

export type ShareVaultDeps = {
  readonly store: SealedStore
  readonly rng: Rng
  /** Sealing key of the epoch, 32 bytes; the vault wipes what it gets. */
  sealingKey(seat: Seat): Promise<Secret<Uint8Array>>
}

export function createShareVault({ store, rng, sealingKey }: ShareVaultDeps): ShareVault {
  async function decide(keyId: KeyId, fate: number): Promise<void> {
    const [stored] = await store.putIfAbsent(FATE_KIND, keyId, Uint8Array.of(fate))
    if (stored !== fate)
      throw new ProtocolError({
        code: "CEREMONY_SIGNED_OR_REVEALED" satisfies VaultErrorCode,
        message: `key ${keyId} was ${stored === SIGNED ? "signed" : "revealed"} by this party`,
      })
  }

  async function need(kind: string, seat: Pick<Seat, "keyId" | "epoch">): Promise<Uint8Array> {
    const bytes = await store.get(kind, seatName(seat))
    if (bytes === null)
      throw new ProtocolError({
        code: "SHARE_NOT_STORED" satisfies VaultErrorCode,
        message: `this node holds no ${kind} of ${seatName(seat)}`,
      })
    return bytes
  }

  return {
    async begin(keyId) {
      const token = rng(TOKEN_BYTES)
      const stored = await store.putIfAbsent(ATTEMPT_KIND, keyId, token)
      if (Buffer.compare(stored, token) !== 0)
        throw new ProtocolError({
          code: "CEREMONY_ATTEMPTED" satisfies VaultErrorCode,
          message: `key ${keyId} was attempted before; a retry is a new proposal`,
        })
    },
    async commit(seat, share, frost, frostPublic) {
      const key = await sealingKey(seat)
      try {
        const sealed = key.use((bytes) => share.seal(bytes, shareContext(seat)))
        await store.put(KEY_SHARE_KIND, seatName(seat), sealed)
      } finally {
        key.wipe()
      }
      await frost.use((bytes) => store.put(FROST_SHARE_KIND, seatName(seat), bytes))
      await store.put(FROST_PUBLIC_KIND, seatName(seat), encodePublicKeyPackage(frostPublic))
      await decide(seat.keyId, SIGNED)
    },
    async sealedShare(seat) {
      return { sealed: await need(KEY_SHARE_KIND, seat), context: shareContext(seat) }
    },
    async openSigningKey(seat) {
      const share = await need(FROST_SHARE_KIND, seat)
      try {
        const frostPublic = decodePublicKeyPackage(await need(FROST_PUBLIC_KIND, seat))
        return { frostShare: FrostKeyShare.decode(share), frostPublic }
      } finally {
        share.fill(0)
      }
    },
    reveal: async ({ keyId }) => decide(keyId, REVEALED),
    async remove(seat) {
      await store.delete(KEY_SHARE_KIND, seatName(seat))
      await store.delete(FROST_SHARE_KIND, seatName(seat))
      await store.delete(FROST_PUBLIC_KIND, seatName(seat))
    },
    stored: () => store.list(KEY_SHARE_KIND),
  }
}
