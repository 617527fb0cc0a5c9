/** Identifiers (protocol §1): branded once, parsed at the edge, never cast at call sites. */
import { ProtocolError } from "./errors.ts"

export type Hex = `0x${string}`
declare const brand: unique symbol
type Branded<T, B extends string> = T & { readonly [brand]: B }

/** keccak256 over genesis hash, chain, registry, nonce and host binding. 32 bytes. */
export type KeyId = Branded<Hex, "KeyId">
/** Names one linear form on the key: masks derive from it. 32 bytes. */
export type SessionId = Branded<Hex, "SessionId">
/** One decryption request on the gateway. 32 bytes. */
export type RequestId = Branded<Hex, "RequestId">
/** Reference of a ciphertext on chain: hash(21) ‖ index(1) ‖ chainId(8) ‖ fheType(1) ‖ version(1). */
export type Handle = Branded<Hex, "Handle">
/** Any 32-byte hash without a brand of its own. */
export type Digest = Branded<Hex, "Digest">
/** EVM address, lower case. */
export type Address = Branded<Hex, "Address">
/** Position of a party in its committee, 1..n. Never an array index. */
export type PartyIndex = Branded<number, "PartyIndex">
/** Counts the sharings of one key, from 1. */
export type Epoch = Branded<number, "Epoch">

export type IdErrorCode =
  | "BAD_KEY_ID"
  | "BAD_SESSION_ID"
  | "BAD_REQUEST_ID"
  | "BAD_HANDLE"
  | "BAD_DIGEST"
  | "BAD_ADDRESS"
  | "BAD_PARTY_INDEX"
  | "BAD_EPOCH"

const HEX32 = /^0x[0-9a-f]{64}$/
const HEX20 = /^0x[0-9a-f]{40}$/

function parseHex(value: string, pattern: RegExp, code: IdErrorCode, bytes: number): Hex {
  const lower = value.toLowerCase()
  if (!pattern.test(lower)) {
    throw new ProtocolError({
      code,
      message: `want ${bytes} bytes of 0x-prefixed hex, got ${JSON.stringify(value.slice(0, 80))}`,
    })
  }
  return lower as Hex
}

export const parseKeyId = (value: string): KeyId => parseHex(value, HEX32, "BAD_KEY_ID", 32) as KeyId
export const parseSessionId = (value: string): SessionId =>
  parseHex(value, HEX32, "BAD_SESSION_ID", 32) as SessionId
export const parseRequestId = (value: string): RequestId =>
  parseHex(value, HEX32, "BAD_REQUEST_ID", 32) as RequestId
export const parseHandle = (value: string): Handle => parseHex(value, HEX32, "BAD_HANDLE", 32) as Handle
export const parseDigest = (value: string): Digest => parseHex(value, HEX32, "BAD_DIGEST", 32) as Digest
export const parseAddress = (value: string): Address => parseHex(value, HEX20, "BAD_ADDRESS", 20) as Address

/** @param n size of the committee. @throws BAD_PARTY_INDEX outside 1..n. */
export function parsePartyIndex(value: number, n: number): PartyIndex {
  if (!Number.isInteger(value) || value < 1 || value > n) {
    throw new ProtocolError({
      code: "BAD_PARTY_INDEX",
      message: `party index must be in 1..${n}, got ${value}`,
    })
  }
  return value as PartyIndex
}

/** @throws BAD_EPOCH unless 1 <= value < 2^32. */
export function parseEpoch(value: number): Epoch {
  if (!Number.isInteger(value) || value < 1 || value >= 2 ** 32) {
    throw new ProtocolError({ code: "BAD_EPOCH", message: `epoch must be in 1..2^32-1, got ${value}` })
  }
  return value as Epoch
}
