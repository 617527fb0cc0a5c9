/**
 * What the ceremony needs of the native addon: the arithmetic of key generation, CRS updates and threshold decryption
 * behind plain byte arrays. `threshold/native.ts` provides it; tests may put a small real-arithmetic engine here.
 *
 * Security: secrets never cross this interface. Sealed payloads are sealed to their recipient inside the engine.
 */
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import type { Digest, PartyIndex } from "@twinlock/sdk/protocol/ids"
import type { ShareWork } from "../threshold/keyShare.ts"

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

/** Bytes of one party's message of a round. */
export type MessageLimits = {
  /** Of every broadcast. */
  readonly broadcast: number
  /** Of the longest sealed message; 0 where the round has none. */
  readonly sealed: number
}

/** One party of key generation; `round` counts from 0 in `rounds()` and on in `rowRounds()`. */
export type CeremonyParty = {
  /** Names of the rounds before the contributions, in order; known from the start. */
  rounds(): readonly string[]
  /** Names of the rounds of the row check, in order: all chunks are absorbed before the last one. */
  rowRounds(): readonly string[]
  /** How long the messages of a round are; known from the start. */
  limits(round: number): MessageLimits
  produce(round: number): Promise<{
    readonly broadcast: Uint8Array
    /** By party index − 1. */
    readonly sealed: readonly (Uint8Array | null)[]
  }>
  /** @param broadcasts by party, own included @param sealed from each party to this one; own is null */
  consume(
    round: number,
    broadcasts: readonly Uint8Array[],
    sealed: readonly (Uint8Array | null)[],
  ): Promise<void>
  /** Seed of all public masks; after the seed's reveal. */
  publicSeed(): Uint8Array
  /** Own masked contribution to one chunk of the layout. */
  contribution(chunk: number): Promise<Uint8Array>
  /** Takes in the agreed body of the next chunk of the layout. */
  absorb(chunk: number, body: Uint8Array): Promise<void>
  /** Keeps shares of `ns` and `nsc` and the PRSS keys; wipes the rest but the root. */
  finish(): KeyShare
  /**
   * Authenticated encryption, under a 32-byte key, of the root that all randomness of this party follows from. Until
   * `destroy`, also after a failure or `finish`.
   */
  sealRoot(key: Uint8Array, context: Uint8Array): Uint8Array
  destroy(): void
}

/** Opens what {@link CeremonyParty.sealRoot} sealed. Security: a root tells everything that its party did. */
export type UnsealRoot = (sealed: Uint8Array, key: Uint8Array, context: Uint8Array) => Uint8Array

/** What a replay of a discarded ceremony needs. */
export type ReplayEngine = Pick<
  KeygenEngine,
  "keyLayout" | "publicKeyPart" | "addInto" | "assemblePublicKey"
> & {
  /** The party of that root: it makes what an honest one made. */
  replayParty(config: PartyConfig, root: Uint8Array): CeremonyParty
}

/** Opaque handle of this party's share of the decryption key. */
export type KeyShare = {
  /** Authenticated encryption under a 32-byte key. */
  seal(key: Uint8Array, context: Uint8Array): Uint8Array
  /** In the order of the work: 64 bytes per block. */
  decryptionShares(work: readonly ShareWork[]): Promise<readonly Uint8Array[]>
  destroy(): void
}

export type ChunkLayout = {
  readonly index: number
  /** Name of the part of the key that the chunk belongs to. */
  readonly part: string
  readonly words: number
  readonly wordBytes: 8 | 16
  readonly byteLength: number
}

export type KeyLayout = { readonly chunks: readonly ChunkLayout[]; readonly byteLength: number }

export type EngineErrorCode =
  /** a key of a parameter set that this node has no engine for. */
  "PARAMETERS_UNKNOWN"

/** @throws PARAMETERS_UNKNOWN */
export function engineFor<E extends { readonly parametersHash: Digest }>(
  engines: readonly E[],
  { parametersHash }: { readonly parametersHash: Digest },
): E {
  const engine = engines.find((one) => one.parametersHash === parametersHash)
  if (engine !== undefined) return engine
  const known = engines.map((one) => one.parametersHash).join(", ")
  throw new ProtocolError({
    code: "PARAMETERS_UNKNOWN" satisfies EngineErrorCode,
    message: `want a key of parameter set ${known}, got ${parametersHash}`,
  })
}

export type CrsContext = { readonly ceremonyId: Uint8Array; readonly round: number; readonly party: number }

export type KeygenEngine = {
  /** The one parameter set whose keys it makes. */
  readonly parametersHash: Digest
  createParty(config: PartyConfig): CeremonyParty
  keyLayout(): KeyLayout
  /** Part name of the one chunk that the public key is made of. */
  readonly publicKeyPart: string
  /** Wrapping addition in place. */
  addInto(accumulator: Uint8Array, contribution: Uint8Array, wordBytes: 8 | 16): void
  assemblePublicKey(publicSeed: Uint8Array, publicKeyChunk: Uint8Array): Uint8Array
  /** Message of an update; `previous` is null for the generators. Ends, whatever it is doing, once `signal` aborts. */
  crsUpdate(previous: Uint8Array | null, context: CrsContext, signal: AbortSignal): Promise<Uint8Array>
  /**
   * The next state, its list unchecked but for the proof of knowledge. @throws CRS_* naming nobody: the caller knows whose
   * message it was.
   */
  crsFollow(previous: Uint8Array | null, message: Uint8Array, context: CrsContext): Promise<Uint8Array>
  /** @throws CRS_* where the list is not one of powers */
  crsCheck(state: Uint8Array): Promise<void>
  /** The CRS file. @param transcript salt of its session id @throws CRS_* as {@link crsCheck} */
  crsAssemble(state: Uint8Array, transcript: Uint8Array): Promise<Uint8Array>
  /** What an auditor keeps of an accepted message. */
  crsLink(message: Uint8Array): Uint8Array
  /** A proven list of uint8 values under the new key, for the self-test. */
  encryptSelfTest(
    publicKey: Uint8Array,
    crs: Uint8Array,
    metadata: Uint8Array,
    values: readonly number[],
  ): Promise<Uint8Array>
  /** Types of a list whose proof holds. @throws where it does not. */
  verifyInputList(
    list: Uint8Array,
    publicKey: Uint8Array,
    crs: Uint8Array,
    metadata: Uint8Array,
  ): Promise<readonly number[]>
}

/** What an auditor of a finished ceremony needs for its CRS. */
export type CrsAuditor = {
  /**
   * SHA-256 of the CRS file that the state makes. @param links one per party, in the order of their updates
   * @throws CRS_* where they do not prove that the state is the product of factors that exactly these parties knew
   */
  crsAudit(
    ceremonyId: Uint8Array,
    parties: readonly PartyIndex[],
    links: readonly Uint8Array[],
    state: Uint8Array,
    transcript: Uint8Array,
  ): Promise<Uint8Array>
}

/** A server key as it was assembled: public bytes. */
export type ServerKeyFile = {
  readonly path: string
  /** 32 bytes. */
  readonly sha256: Uint8Array
}

/** What an executor needs to judge a new key. */
export type SelfTestEngine = {
  /** The one parameter set whose keys it judges. */
  readonly parametersHash: Digest
  keyLayout(): KeyLayout
  readonly publicKeyPart: string
  assemblePublicKey(publicSeed: Uint8Array, publicKeyChunk: Uint8Array): Uint8Array
  /** @param chunkPaths files in chunk order @returns SHA-256 and length of the written file */
  assembleServerKey(
    publicSeed: Uint8Array,
    chunkPaths: readonly string[],
    outPath: string,
  ): Promise<{ readonly sha256: Uint8Array; readonly byteLength: number }>
  /** Canonical words of what the self-test computes from the two values of the proven list. */
  evaluateSelfTest(
    serverKey: ServerKeyFile,
    list: Uint8Array,
    publicKey: Uint8Array,
    crs: Uint8Array,
    metadata: Uint8Array,
  ): Promise<Uint8Array>
}
