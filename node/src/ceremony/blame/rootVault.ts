/**
 * What a party keeps of an attempt that failed before it signed: its root, sealed inside the addon, and what was signed.
 * Nothing else of the attempt is stored, and of an attempt that this party signed for not even the root exists.
 *
 * Security: the root leaves by `reveal` alone, which wants a discard that is final on the agreed chain and marks the party
 * durably as one that revealed, before it opens anything: from then on this party signs no activation of the key.
 */
import { abiEncode, tagHash } from "@twinlock/sdk/protocol/codec"
import { partyOf } from "@twinlock/sdk/protocol/committee"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import { type Address, type KeyId, parseKeyId } from "@twinlock/sdk/protocol/ids"
import type { Seat } from "../../chain/chainView.ts"
import type { Secret } from "../../secret.ts"
import type { SealedStore } from "../../storage/sealedStore.ts"
import type { CeremonyParty, UnsealRoot } from "../engine.ts"
import type { ShareVault } from "../shareVault.ts"
import {
  blameError,
  committeeOf,
  decodeFailedAttempt,
  encodeFailedAttempt,
  type FailedAttempt,
} from "./failedAttempt.ts"
import type { FinalDiscard } from "./finalDiscard.ts"
import { decodeReveal, encodeReveal, type Reveal } from "./reveal.ts"

export type RootVaultErrorCode =
  /** this node keeps no root of the key. */
  "ROOT_NOT_STORED"

/** Record kinds in the sealed store. */
export const ROOT_KIND = "ceremony-root"
const ATTEMPT_KIND = "ceremony-failed"
const REVEAL_KIND = "ceremony-reveal"

const rootContext = ({ keyId, epoch, party }: Seat): Uint8Array =>
  abiEncode(tagHash("twinlock/ceremony-root/v1"), keyId, epoch, party)

export type RootVault = {
  /** Keeps the root of `party`, which takes part for `self`. @throws NATIVE_DESTROYED once this party prepared to sign */
  keep(failed: FailedAttempt, self: Address, party: Pick<CeremonyParty, "sealRoot">): Promise<void>
  /** Keys with a kept root. */
  kept(): Promise<readonly KeyId[]>
  attempt(keyId: KeyId): Promise<FailedAttempt | null>
  /** 32 bytes. @throws ROOT_NOT_STORED, CEREMONY_SIGNED_OR_REVEALED where this party signed for the key */
  reveal(discard: FinalDiscard, self: Address): Promise<Uint8Array>
  /** Reveals of others and the own one. */
  add(reveal: Reveal): Promise<void>
  reveals(failed: FailedAttempt): Promise<readonly Reveal[]>
}

export type RootVaultDeps = {
  readonly store: SealedStore
  readonly vault: Pick<ShareVault, "reveal">
  readonly unsealRoot: UnsealRoot
  /** Sealing key of the epoch, 32 bytes; the vault wipes what it gets. */
  sealingKey(seat: Seat): Promise<Secret<Uint8Array>>
}

export function createRootVault({ store, vault, unsealRoot, sealingKey }: RootVaultDeps): RootVault {
  async function underKey<T>(seat: Seat, work: (key: Uint8Array) => T): Promise<T> {
    const key = await sealingKey(seat)
    try {
      return key.use(work)
    } finally {
      key.wipe()
    }
  }

  function seatOf(failed: FailedAttempt, self: Address): Seat {
    const party = partyOf(committeeOf(failed), self)
    if (party === null) throw blameError("BLAME_FOREIGN", `${self} holds no seat of ${failed.keyId}`)
    return { keyId: failed.keyId, epoch: failed.epoch, party }
  }

  async function attempt(keyId: KeyId): Promise<FailedAttempt | null> {
    const bytes = await store.get(ATTEMPT_KIND, keyId)
    return bytes === null ? null : decodeFailedAttempt(bytes)
  }

  return {
    async keep(failed, self, party) {
      const seat = seatOf(failed, self)
      const sealed = await underKey(seat, (key) => party.sealRoot(key, rootContext(seat)))
      await store.putMany([
        { kind: ROOT_KIND, id: failed.keyId, bytes: sealed },
        { kind: ATTEMPT_KIND, id: failed.keyId, bytes: encodeFailedAttempt(failed) },
      ])
    },
    kept: async () => (await store.list(ROOT_KIND)).map(parseKeyId),
    attempt,
    async reveal(discard, self) {
      const { keyId } = discard
      const [sealed, failed] = [await store.get(ROOT_KIND, keyId), await attempt(keyId)]
      if (sealed === null || failed === null)
        throw new ProtocolError({
          code: "ROOT_NOT_STORED" satisfies RootVaultErrorCode,
          message: `this node keeps no root of key ${keyId}`,
        })
      const seat = seatOf(failed, self)
      await vault.reveal(discard)
      return underKey(seat, (key) => unsealRoot(sealed, key, rootContext(seat)))
    },
    add: (reveal) => store.put(REVEAL_KIND, `${reveal.keyId}/${reveal.party}`, encodeReveal(reveal)),
    async reveals(failed) {
      const found = await Promise.all(
        failed.proposal.parties.map((_, at) => store.get(REVEAL_KIND, `${failed.keyId}/${at + 1}`)),
      )
      return found.flatMap((bytes) => (bytes === null ? [] : [decodeReveal(bytes)]))
    },
  }
}
