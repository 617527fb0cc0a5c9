/**
 * One party of key generation (protocol §4, docs/keygen.md). Secret: everything it holds; private messages leave sealed to
 * their recipient, shares not at all. The caller authenticates and echoes all messages, and never resumes: a failed round
 * ends the party.
 */
import type { CeremonyParty as NativeParty } from "../../native/index.d.ts"
import { type KeyShare, keyShareOf } from "./keyShare.ts"
import { awaitNative, callNative } from "./native.ts"

export type PartyConfig = {
  /** 32 bytes. */
  readonly ceremonyId: Uint8Array
  readonly attempt: number
  readonly n: number
  readonly t: number
  /** 1..n */
  readonly index: number
  /** Tests only: a toy number of shared bits; such a party makes no key. */
  readonly bits?: number
}

export type RoundMessages = {
  readonly broadcast: Uint8Array
  /** By party index − 1; null where there is nothing to say. */
  readonly sealed: readonly (Uint8Array | null)[]
}

/** Bytes of one party's message of a round. */
export type MessageLimits = {
  /** Of every broadcast. */
  readonly broadcast: number
  /** Of the longest sealed message; 0 where the round has none. */
  readonly sealed: number
}

export type CeremonyParty = {
  /** Names of the rounds before the contributions, in order. */
  rounds(): readonly string[]
  /** Names of the rounds of the row check, numbered on from `rounds()`. */
  rowRounds(): readonly string[]
  /** How long the messages of a round are; known from the start. @throws RangeError where there is no such round */
  limits(round: number): MessageLimits
  /** Own messages of a round, once. @throws KEYGEN_ROUND_ORDER, NATIVE_DESTROYED */
  produce(round: number): Promise<RoundMessages>
  /** @param broadcasts by party, own included @param sealed from each party to this one @throws KEYGEN_*, naming culprits */
  consume(
    round: number,
    broadcasts: readonly Uint8Array[],
    sealed: readonly (Uint8Array | null)[],
  ): Promise<void>
  /** Seed of all public masks. @throws KEYGEN_ROUND_ORDER before its reveal */
  publicSeed(): Uint8Array
  /** Own masked contribution to one chunk of the layout. @throws KEYGEN_ROUND_ORDER, KEYGEN_KEY_LAYOUT */
  contribution(chunk: number): Promise<Uint8Array>
  /** Takes in the summed body of the next chunk before "row-points". @throws KEYGEN_ROUND_ORDER, KEYGEN_KEY_LAYOUT */
  absorb(chunk: number, body: Uint8Array): Promise<void>
  /** Keeps the shares of the decryption keys and the PRSS keys; wipes the rest but the root. */
  finish(): KeyShare
  /** XChaCha20-Poly1305 of the root with a random nonce, until `destroy`. @param key 32 bytes @throws NATIVE_DESTROYED */
  sealRoot(key: Uint8Array, context: Uint8Array): Uint8Array
  destroy(): void
}

/** @throws NATIVE_CONFIG */
export const createCeremonyParty = (config: PartyConfig): CeremonyParty =>
  partyOf(callNative((addon) => new addon.CeremonyParty(config)))

/** A party of a discarded ceremony, from the 32 bytes that it revealed. @throws NATIVE_CONFIG */
export const replayCeremonyParty = (config: PartyConfig, root: Uint8Array): CeremonyParty =>
  partyOf(callNative((addon) => addon.CeremonyParty.replay(config, root)))

/** Secret until it is revealed: 32 bytes that tell all that the party did. @throws SHARE_SEALED, NATIVE_CONFIG */
export const unsealRoot = (sealed: Uint8Array, key: Uint8Array, context: Uint8Array): Uint8Array =>
  callNative((addon) => addon.unsealRoot(sealed, key, context))

function partyOf(party: NativeParty): CeremonyParty {
  const names = party.rounds()
  const limits = party.limits()
  const rows = names.indexOf("row-coin")
  return {
    rounds: () => names.slice(0, rows),
    rowRounds: () => names.slice(rows),
    limits(round) {
      const found = limits[round]
      if (found === undefined) throw new RangeError(`no round ${round} of ${limits.length}`)
      return found
    },
    produce: (round) => awaitNative(() => party.produce(round)),
    consume: (round, broadcasts, sealed) =>
      awaitNative(() => party.consume(round, [...broadcasts], [...sealed])),
    publicSeed: () => callNative(() => party.publicSeed()),
    contribution: (chunk) => awaitNative(() => party.contribution(chunk)),
    absorb: (chunk, body) => awaitNative(() => party.absorb(chunk, body)),
    finish: () => keyShareOf(callNative(() => party.finish())),
    sealRoot: (key, context) => callNative(() => party.sealRoot(key, context)),
    destroy: () => party.destroy(),
  }
}
