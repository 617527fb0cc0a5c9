/**
 * Shares sealed to a user (protocol §10): X-Wing (ML-KEM-768 with X25519) to the transport key, HKDF-SHA256, and
 * XChaCha20-Poly1305. The context is bound twice, into the key and as associated data: a share sealed for one handle, user,
 * permit, epoch or party opens nowhere else. The sender signs what it sealed, see {@link sealedShareDigest}.
 *
 * Secret inputs: the share and the transport secret key. Every sealing uses a fresh encapsulation, so key and nonce occur
 * once.
 */
import { xchacha20poly1305 } from "@noble/ciphers/chacha.js"
import { hkdf } from "@noble/hashes/hkdf.js"
import { sha256 } from "@noble/hashes/sha2.js"
import { ml_kem768_x25519 as xwing } from "@noble/post-quantum/hybrid.js"
import { concatBytes, fromHex, keccak, taggedHash, toHex, utf8ToBytes } from "../protocol/codec.ts"
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

export type SealedShareErrorCode =
  /** not a sealed share of this version, or a key of another length. */
  | "SEALED_SHARE_FORM"
  /** does not open under this key and context. */
  | "SEALED_SHARE_OPEN"
  /** opens, but carries another session than its context. */
  | "SEALED_SHARE_SESSION"

const VERSION = 1
export const TRANSPORT_KEY_BYTES = 1216
const SEED_BYTES = 32
const ENCAPSULATION_RANDOMNESS = 64
const KEM_BYTES = 1120
const TAG_BYTES = 16
const INFO = utf8ToBytes("twinlock/sealed-share/v1")

const bad = (code: SealedShareErrorCode, message: string, party?: PartyIndex): ProtocolError =>
  new ProtocolError({ code, message, culprits: party === undefined ? [] : [party] })

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

const contextHash = (context: SealedShareContext): Uint8Array =>
  fromHex(
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
    ),
  )

/** **Security:** `secretKey` MUST stay with the user; it opens every share sealed to `publicKey`. */
export type TransportKey = { readonly publicKey: Uint8Array; readonly secretKey: Uint8Array }

/** A fresh key pair: 1216 public bytes, 32 secret bytes. */
export function generateTransportKey(rng: Rng): TransportKey {
  const { publicKey, secretKey } = xwing.keygen(rng(SEED_BYTES))
  return { publicKey, secretKey }
}

/** What a permit binds of the transport key. */
export const transportKeyHash = (publicKey: Uint8Array): Digest => keccak(publicKey)

/** Key and nonce of one encapsulation in one context. */
function derive(shared: Uint8Array, context: Uint8Array): { key: Uint8Array; nonce: Uint8Array } {
  const material = hkdf(sha256, shared, context, INFO, 56)
  return { key: material.slice(0, 32), nonce: material.slice(32) }
}

/**
 * version(1) ‖ encapsulation(1120) ‖ AEAD of sessionId(32) ‖ share.
 * @param share 64 bytes per block. @throws SEALED_SHARE_FORM for a transport key of another length or form.
 */
export function sealShare(
  transportKey: Uint8Array,
  context: SealedShareContext,
  share: Uint8Array,
  rng: Rng,
): Uint8Array {
  if (transportKey.length !== TRANSPORT_KEY_BYTES)
    throw bad(
      "SEALED_SHARE_FORM",
      `a transport key has ${TRANSPORT_KEY_BYTES} bytes, got ${transportKey.length}`,
    )
  const { cipherText, sharedSecret } = encapsulate(transportKey, rng)
  const bound = contextHash(context)
  const { key, nonce } = derive(sharedSecret, bound)
  const header = Uint8Array.of(VERSION)
  const sealed = xchacha20poly1305(key, nonce, concatBytes(header, bound)).encrypt(
    concatBytes(fromHex(context.sessionId), share),
  )
  return concatBytes(header, cipherText, sealed)
}

function encapsulate(
  transportKey: Uint8Array,
  rng: Rng,
): { cipherText: Uint8Array; sharedSecret: Uint8Array } {
  try {
    return xwing.encapsulate(transportKey, rng(ENCAPSULATION_RANDOMNESS))
  } catch {
    throw bad("SEALED_SHARE_FORM", "the transport key is not an X-Wing public key")
  }
}

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
  const least = 1 + KEM_BYTES + 32 + TAG_BYTES
  const most = least + MAX_BLOCKS * SHARE_BYTES_PER_BLOCK
  if (sealed[0] !== VERSION || sealed.length < least || sealed.length > most)
    throw bad("SEALED_SHARE_FORM", `not a sealed share of version ${VERSION}: ${sealed.length} bytes`, party)
  const bound = contextHash(context)
  const opened = decrypt(secretKey, bound, sealed)
  if (opened === null) throw bad("SEALED_SHARE_OPEN", "does not open under this key and context", party)
  if (parseSessionId(toHex(opened.subarray(0, 32))) !== sessionId)
    throw bad("SEALED_SHARE_SESSION", `carries another session than ${sessionId}`, party)
  return opened.slice(32)
}

function decrypt(secretKey: Uint8Array, bound: Uint8Array, sealed: Uint8Array): Uint8Array | null {
  try {
    const shared = xwing.decapsulate(sealed.slice(1, 1 + KEM_BYTES), secretKey)
    const { key, nonce } = derive(shared, bound)
    const aad = concatBytes(sealed.subarray(0, 1), bound)
    return xchacha20poly1305(key, nonce, aad).decrypt(sealed.subarray(1 + KEM_BYTES))
  } catch {
    return null
  }
}

/** What a node signs with its seat's signer, so that a bad share proves its sender at fault. */
export const sealedShareDigest = (context: SealedShareContext, sealed: Uint8Array): Digest =>
  taggedHash("twinlock/sealed-share/v1", toHex(contextHash(context)), keccak(sealed))
