/**
 * Sealing of one record: XChaCha20-Poly1305 with a random 24-byte nonce; kind, id and version are authenticated, so a
 * record opens only under its own name and in the version that the store's root counts (protocol §9).
 */

import { createHmac, hkdfSync } from "node:crypto"
import { xchacha20poly1305 } from "@noble/ciphers/chacha.js"
import { concatBytes, utf8ToBytes, Writer } from "@twinlock/sdk/protocol/codec"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import { Secret } from "../secret.ts"
import type { StorageErrorCode } from "./sealedStore.ts"
import { MAX_RECORD_BYTES } from "./sealedStore.ts"

export type RecordName = { readonly kind: string; readonly id: string; readonly version: number }

export type RecordCipher = {
  /** nonce(24) ‖ ciphertext ‖ tag(16) */
  seal(name: RecordName, plain: Uint8Array): Uint8Array
  /** Null where the bytes do not authenticate. */
  open(name: RecordName, sealed: Uint8Array): Uint8Array | null
  /** Pseudo-random 256-bit number of a name: sums of these commit to a set of records. */
  fingerprint(name: RecordName): bigint
  wipe(): void
}

const NONCE_BYTES = 24
const NAME = /^[a-zA-Z0-9._:/-]{1,200}$/

const encodeName = ({ kind, id, version }: RecordName): Uint8Array =>
  new Writer()
    .bytes(utf8ToBytes("twinlock/record/v1"))
    .bytes(utf8ToBytes(kind))
    .bytes(utf8ToBytes(id))
    .uint(8, version)
    .done()

export function storageError(code: StorageErrorCode, message: string, cause?: unknown): ProtocolError {
  return new ProtocolError({ code, message }, { cause })
}

/** @throws STORE_BAD_NAME */
export function checkName(kind: string, id: string): void {
  for (const part of [kind, id])
    if (!NAME.test(part))
      throw storageError("STORE_BAD_NAME", `bad name ${JSON.stringify(part.slice(0, 80))}`)
}

/** @throws STORE_TOO_LARGE */
export function checkSize(bytes: Uint8Array): void {
  if (bytes.length > MAX_RECORD_BYTES)
    throw storageError("STORE_TOO_LARGE", `record has ${bytes.length} bytes, maximum ${MAX_RECORD_BYTES}`)
}

/**
 * @param key sealing key of the store's scope, 32 bytes; stays the caller's.
 * @param salt random 32 bytes of this store: two stores under one key share no record key.
 */
export function createRecordCipher(
  key: Secret<Uint8Array>,
  salt: Uint8Array,
  random: (length: number) => Uint8Array,
): RecordCipher {
  const derive = (purpose: string): Secret<Uint8Array> =>
    key.use((bytes) => new Secret(new Uint8Array(hkdfSync("sha256", bytes, salt, purpose, 32))))
  const sealing = derive("twinlock/store/v1/seal")
  const naming = derive("twinlock/store/v1/root")
  return {
    seal(name, plain) {
      const nonce = random(NONCE_BYTES)
      return sealing.use((k) =>
        concatBytes(nonce, xchacha20poly1305(k, nonce, encodeName(name)).encrypt(plain)),
      )
    },
    open(name, sealed) {
      if (sealed.length < NONCE_BYTES + 16) return null
      const nonce = sealed.subarray(0, NONCE_BYTES)
      const cipher = sealing.use((k) => xchacha20poly1305(k, nonce, encodeName(name)))
      try {
        return cipher.decrypt(sealed.subarray(NONCE_BYTES))
      } catch {
        return null
      }
    },
    fingerprint: (name) =>
      naming.use((k) => BigInt(`0x${createHmac("sha256", k).update(encodeName(name)).digest("hex")}`)),
    wipe() {
      sealing.wipe()
      naming.wipe()
    },
  }
}
