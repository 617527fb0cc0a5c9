/** What a verifier must know of a parameter set: the rounds of its key generation and the rules that their public part keeps. */
import type { Committee } from "@twinlock/sdk/protocol/committee"
import type { Digest } from "@twinlock/sdk/protocol/ids"
import type { CrsAuditor, KeyLayout } from "../engine.ts"
import type { Transcript } from "./transcript.ts"

/** Names of the engine's rounds, in order: before the contributions, and of the row check. */
export type KeygenRounds = { readonly rounds: readonly string[]; readonly rowRounds: readonly string[] }

export type KeygenAudit = {
  /** Names the set in a proposal. */
  readonly parametersHash: Digest
  rounds(committee: Committee): KeygenRounds
  /** Seed of all public masks, from what was committed and opened. @throws AUDIT_REFUSED where an opening does not fit */
  publicSeed(transcript: Transcript): Uint8Array
  /** Opens the coins and repeats the checks whose points the transcript keeps. @returns what was repeated @throws AUDIT_REFUSED */
  checkPoints(transcript: Transcript): string
  readonly crs: CrsAuditor
  keyLayout(): KeyLayout
  /** Part name of the one chunk that the public key is made of. */
  readonly publicKeyPart: string
  assemblePublicKey(publicSeed: Uint8Array, publicKeyChunk: Uint8Array): Uint8Array
  /** @returns which masks follow from the seed @throws AUDIT_REFUSED where the key holds others */
  checkMasks(publicSeed: Uint8Array, publicKey: Uint8Array, publicKeyChunk: Uint8Array): string
}
