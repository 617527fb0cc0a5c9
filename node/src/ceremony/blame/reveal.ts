/** A party's root of a discarded ceremony, signed by its seat: public from then on. */
import { Reader, taggedHash, toHex, Writer } from "@twinlock/sdk/protocol/codec"
import { MAX_PARTIES, signerOf } from "@twinlock/sdk/protocol/committee"
import {
  type Digest,
  type KeyId,
  type PartyIndex,
  parseKeyId,
  parsePartyIndex,
} from "@twinlock/sdk/protocol/ids"
import { SIGNATURE_BYTES, type SignerRecovery, verifySignature } from "@twinlock/sdk/protocol/signature"
import type { SeatSigner } from "../attempt.ts"
import { blameError, committeeOf, type FailedAttempt } from "./failedAttempt.ts"

export const ROOT_BYTES = 32

export type Reveal = {
  readonly keyId: KeyId
  readonly attempt: number
  readonly party: PartyIndex
  readonly root: Uint8Array
  readonly signature: Uint8Array
}

const VERSION = 1

/** Bytes of every reveal. */
export const REVEAL_BYTES: number = 1 + 32 + 4 + 1 + ROOT_BYTES + SIGNATURE_BYTES

const revealHash = ({ keyId, attempt, party, root }: Omit<Reveal, "signature">): Digest =>
  taggedHash("twinlock/ceremony-reveal/v1", keyId, attempt, party, toHex(root))

export async function signReveal(reveal: Omit<Reveal, "signature">, sign: SeatSigner): Promise<Reveal> {
  return { ...reveal, signature: await sign(revealHash(reveal)) }
}

export const encodeReveal = ({ keyId, attempt, party, root, signature }: Reveal): Uint8Array =>
  new Writer().uint(1, VERSION).hex(keyId).uint(4, attempt).uint(1, party).raw(root).raw(signature).done()

/** Form only. @throws BLAME_FORM, CodecErrorCode, IdErrorCode */
export function decodeReveal(bytes: Uint8Array): Reveal {
  const reader = new Reader(bytes)
  const version = reader.uint(1)
  if (version !== VERSION) throw blameError("BLAME_FORM", `version must be ${VERSION}, is ${version}`)
  const reveal = {
    keyId: parseKeyId(reader.hex(32)),
    attempt: reader.uint(4),
    party: parsePartyIndex(reader.uint(1), MAX_PARTIES),
    root: reader.take(ROOT_BYTES),
    signature: reader.take(SIGNATURE_BYTES),
  }
  reader.end()
  return reveal
}

/** @throws BLAME_FOREIGN, BAD_PARTY_INDEX, SIGNATURE_* unless the party of that attempt signed it */
export function verifyReveal(reveal: Reveal, failed: FailedAttempt, recover?: SignerRecovery): void {
  const { keyId, attempt } = failed
  if (reveal.keyId !== keyId || reveal.attempt !== attempt)
    throw blameError("BLAME_FOREIGN", `a reveal for key ${reveal.keyId} attempt ${reveal.attempt}`)
  const committee = committeeOf(failed)
  const party = parsePartyIndex(reveal.party, committee.n)
  verifySignature(revealHash(reveal), reveal.signature, signerOf(committee, party), recover)
}
