/**
 * Shares sealed to a user (protocol §10): a sealed box whose context names key, epoch, session, chain, handle, user, permit
 * and party, so that a share opens for nothing else. The sender signs what it sealed, see {@link sealedShareDigest}.
 *
 * Secret inputs: the share and the transport secret key.
 */
import { concatBytes, fromHex, keccak, taggedHash, toHex } from "../protocol/codec.ts"
import { ProtocolError } from "../protocol/errors.ts"
import { MAX_BLOCKS, SHARE_BYTES_PER_BLOCK } from "../protocol/fheType.ts"
import {
  type Address,
  type Digest,
  type Epoch,
  type Handle,
  type KeyId,
  type PartyIndex,
  parseSessionId,
  type SessionId,
} from "../protocol/ids.ts"
import type { Rng } from "../protocol/rng.ts"
import {
  BOX_OVERHEAD_BYTES,
  BOX_PUBLIC_KEY_BYTES,
  BOX_SECRET_KEY_BYTES,
  type BoxPlace,
  boxPublicKey,
  openBox,
  sealBox,
} from "./sealedBox.ts"

export type SealedShareErrorCode =
  /** not of the length of a sealed share, or a secret key of another length. */
  | "SEALED_SHARE_FORM"
  /** does not open under this key and context. */
  | "SEALED_SHARE_OPEN"
  /** opens, but carries another session than its context. */
  | "SEALED_SHARE_SESSION"

export const TRANSPORT_KEY_BYTES: number = BOX_PUBLIC_KEY_BYTES
const SESSION_BYTES = 32
const LEAST_BYTES = BOX_OVERHEAD_BYTES + SESSION_BYTES
const MOST_BYTES = LEAST_BYTES + MAX_BLOCKS * SHARE_BYTES_PER_BLOCK

const bad = (code: SealedShareErrorCode, message: string, culprits: readonly PartyIndex[]): ProtocolError =>
  new ProtocolError({ code, message, culprits })

/** Everything that a sealed share is for. */
export type SealedShareContext = {
  readonly keyId: KeyId
  readonly epoch: Epoch
  readonly sessionId: SessionId
  readonly chainId: bigint
  readonly handle: Handle
  readonly user: Address
  /** EIP-712 digest of the permit. */
  readonly permitHash: Digest
  readonly party: PartyIndex
}

const contextDigest = (context: SealedShareContext): Digest =>
  taggedHash(
    "twinlock/sealed-share-context/v1",
    context.keyId,
    context.epoch,
    context.sessionId,
    context.chainId,
    context.handle,
    context.user,
    context.permitHash,
    context.party,
  )

const placeOf = (context: SealedShareContext): BoxPlace => ({
  purpose: "twinlock/sealed-share/v1",
  context: fromHex(contextDigest(context)),
})

/**
 * A user's key pair for one permit: 1216 public bytes, a 32-byte secret.
 * **Security:** the secret opens every share sealed to `publicKey` and MUST stay with the user. Redacted in JSON.
 */
export class TransportKey {
  readonly publicKey: Uint8Array
  readonly #secretKey: Uint8Array

  /** The pair of a secret that was kept before. @throws SEALED_SHARE_FORM */
  constructor(secretKey: Uint8Array) {
    if (secretKey.length !== BOX_SECRET_KEY_BYTES)
      throw bad("SEALED_SHARE_FORM", `a transport secret has ${BOX_SECRET_KEY_BYTES} bytes`, [])
    this.#secretKey = Uint8Array.from(secretKey)
    this.publicKey = boxPublicKey(this.#secretKey)
  }

  /** For opening shares and for the user's own safe store. An accessor: nothing that lists fields shows it. */
  get secretKey(): Uint8Array {
    return this.#secretKey
  }

  wipe(): void {
    this.#secretKey.fill(0)
  }

  toJSON(): string {
    return "[TransportKey]"
  }
}

/** A fresh key pair. */
export const generateTransportKey = (rng: Rng): TransportKey => new TransportKey(rng(BOX_SECRET_KEY_BYTES))

/** What a permit binds of the transport key. */
export const transportKeyHash = (publicKey: Uint8Array): Digest => keccak(publicKey)

/** A box of sessionId(32) ‖ share. @param share 64 bytes per block. @throws BOX_KEY */
export const sealShare = (
  transportKey: Uint8Array,
  context: SealedShareContext,
  share: Uint8Array,
  rng: Rng,
): Uint8Array => sealBox(transportKey, placeOf(context), concatBytes(fromHex(context.sessionId), share), rng)

/**
 * The share inside `sealed`.
 * @throws SEALED_SHARE_FORM, SEALED_SHARE_OPEN, SEALED_SHARE_SESSION, naming the party of the context, which signed it.
 */
export function openShare(
  secretKey: Uint8Array,
  context: SealedShareContext,
  sealed: Uint8Array,
): Uint8Array {
  const { party, sessionId } = context
  if (sealed.length < LEAST_BYTES || sealed.length > MOST_BYTES)
    throw bad(
      "SEALED_SHARE_FORM",
      `a sealed share has ${LEAST_BYTES}..${MOST_BYTES} bytes, got ${sealed.length}`,
      [party],
    )
  const opened = openBox(secretKey, placeOf(context), sealed)
  if (opened === null) throw bad("SEALED_SHARE_OPEN", "does not open under this key and context", [party])
  if (parseSessionId(toHex(opened.subarray(0, SESSION_BYTES))) !== sessionId)
    throw bad("SEALED_SHARE_SESSION", `carries another session than ${sessionId}`, [party])
  return opened.slice(SESSION_BYTES)
}

/** What a node signs with its seat's signer, so that a bad share proves its sender at fault. */
export const sealedShareDigest = (context: SealedShareContext, sealed: Uint8Array): Digest =>
  taggedHash("twinlock/sealed-share/v1", contextDigest(context), keccak(sealed))
