/** Words, hashes and masks of the toy key. */
import { createHash } from "node:crypto"
import { utf8ToBytes } from "@twinlock/sdk/protocol/codec"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import type { PartyIndex } from "@twinlock/sdk/protocol/ids"

/** Shared secrets of a toy key. */
export const SECRETS = 8
export const ZERO_BYTES: Uint8Array = new Uint8Array(32)

export const sha = (...parts: readonly Uint8Array[]): Uint8Array => {
  const hash = createHash("sha256")
  for (const part of parts) hash.update(part)
  return new Uint8Array(hash.digest())
}
export const number = (value: number): Uint8Array => utf8ToBytes(`/${value}`)
export const toyError = (code: string, culprits: readonly PartyIndex[] = []): ProtocolError =>
  new ProtocolError({ code, message: "a check of the toy engine failed", culprits })

export const readWord = (bytes: Uint8Array, offset: number, size: number): bigint => {
  let value = 0n
  for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[offset + i] ?? 0)
  return value
}
export const writeWord = (bytes: Uint8Array, offset: number, size: number, value: bigint): void => {
  for (let i = 0, rest = value; i < size; i++, rest >>= 8n) bytes[offset + i] = Number(rest & 255n)
}

/** Public mask of secret `j` in word `word` of chunk `chunk`. */
export const mask = (seed: Uint8Array, chunk: number, word: number, j: number): bigint =>
  readWord(sha(seed, number(chunk), number(word), number(j)), 0, 16)
