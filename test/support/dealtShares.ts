/**
 * A test key of any committee size in seconds: one dealer shares a random secret and hands out the replicated keys, where a
 * ceremony would need minutes and a server key. Shares are in the addon's own form (key_share.rs, seal.rs), so that
 * everything from unsealing onwards is the real code. The dealer knows the secret: see encryptedWords.ts.
 * **Security:** for tests and benchmarks only; seed and sealing key are public.
 */
import { createHash, randomBytes } from "node:crypto"
import { existsSync } from "node:fs"
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { xchacha20poly1305 } from "@noble/ciphers/chacha.js"
import { type KeyShare, unsealKeyShare } from "@twinlock/node/threshold/keyShare"
import { concatBytes, utf8ToBytes } from "@twinlock/sdk/protocol/codec"
import type { Rng } from "@twinlock/sdk/protocol/rng"
import { encode, RING_ELEMENT_BYTES, scalar } from "@twinlock/sdk/threshold/galoisRing"
import { share } from "@twinlock/sdk/threshold/shamir"
import { keystreamRng } from "./keystreamRng.ts"

/** Bits of the noise-squashing key, and of the key of compressed squashed ciphertexts (protocol §4). */
export const NS_BITS = 4096
export const NSC_BITS = 6144

/** The secret itself, one byte (0 or 1) per bit, in flattened GLWE order. */
export type SecretBits = { readonly ns: Uint8Array; readonly nsc: Uint8Array }

export type DealtShares = {
  readonly n: number
  readonly t: number
  readonly secret: SecretBits
  /** The share's encoding as the addon seals it. @param party 1..n */
  encoded(party: number): Uint8Array
  /** Sealed as the addon does it. @param key 32 bytes @param context what the share opens for */
  sealed(party: number, key: Uint8Array, context: Uint8Array): Uint8Array
  /** The addon's handle of a share, through its own unsealing; the caller may destroy it. */
  open(party: number): KeyShare
}

export type DealOptions = {
  readonly n: number
  readonly t: number
  /** Another seed is another key. */
  readonly seed?: string
}

const VERSION = 1
const SEAL_HEADER: Uint8Array = concatBytes(utf8ToBytes("TLKS"), Uint8Array.of(1))
const NONCE_BYTES = 24
const PRSS_KEY_BYTES = 32
/** Raise where a change makes cached shares wrong. */
const CACHE_VERSION = 1
const CACHE = join(import.meta.dirname, "../../.cache/keys")

/** A key of that committee size and seed, from the cache where there is one. */
export async function dealtShares({ n, t, seed = "dealt shares" }: DealOptions): Promise<DealtShares> {
  const secret = secretOf(seed)
  const name = createHash("sha256")
    .update(JSON.stringify([CACHE_VERSION, n, t, seed]))
    .digest("hex")
  const folder = join(CACHE, `dealt-${n}-${t}-${name.slice(0, 12)}`)
  if (!existsSync(folder)) await keep(folder, encodeShares(secret, n, t, seed))
  const files = Array.from({ length: n }, (_, i) => readFile(join(folder, String(i + 1))))
  return dealtOf(n, t, secret, await Promise.all(files))
}

/** The same without a cache. */
export function dealShares({ n, t, seed = "dealt shares" }: DealOptions): DealtShares {
  const secret = secretOf(seed)
  return dealtOf(n, t, secret, encodeShares(secret, n, t, seed))
}

function dealtOf(n: number, t: number, secret: SecretBits, shares: readonly Uint8Array[]): DealtShares {
  const encoded = (party: number): Uint8Array => {
    const bytes = shares[party - 1]
    if (bytes === undefined) throw new RangeError(`there is no party ${party} of ${n}`)
    return bytes
  }
  const sealed = (party: number, key: Uint8Array, context: Uint8Array) =>
    sealShare(encoded(party), key, context, new Uint8Array(randomBytes(NONCE_BYTES)))
  return {
    ...{ n, t, secret, encoded, sealed },
    open(party) {
      const [key, context] = [new Uint8Array(32), utf8ToBytes(`dealt/${party}`)]
      return unsealKeyShare(sealed(party, key, context), key, context)
    },
  }
}

function secretOf(seed: string): SecretBits {
  const bits = (name: string, count: number) => keystreamRng(`${seed}/${name}`)(count).map((byte) => byte & 1)
  return { ns: bits("ns", NS_BITS), nsc: bits("nsc", NSC_BITS) }
}

/** version(1) ‖ n(1) ‖ t(1) ‖ index(1) ‖ ns ‖ nsc ‖ replicated keys of the sets that the party is in. */
function encodeShares(secret: SecretBits, n: number, t: number, seed: string): readonly Uint8Array[] {
  const rng = keystreamRng(`${seed}/polynomials/${n}/${t}`)
  const sharings = [...secret.ns, ...secret.nsc].map((bit) => share(scalar(BigInt(bit)), n, t, rng))
  const keys = replicatedKeys(n, t, keystreamRng(`${seed}/prss/${n}/${t}`))
  return Array.from({ length: n }, (_, i) => {
    const elements = new Uint8Array(sharings.length * RING_ELEMENT_BYTES)
    sharings.forEach((values, j) => {
      const value = values[i]?.value
      if (value !== undefined) elements.set(encode(value), j * RING_ELEMENT_BYTES)
    })
    const held = keys.filter(({ members }) => (members >> i) & 1).map(({ key }) => key)
    return concatBytes(Uint8Array.of(VERSION, n, t, i + 1), elements, ...held)
  })
}

/** One key per set of n − t parties, ascending by bitmask: the order in which the addon stores them. */
function replicatedKeys(n: number, t: number, rng: Rng): readonly { members: number; key: Uint8Array }[] {
  const size = (members: number) => members.toString(2).replaceAll("0", "").length
  return Array.from({ length: 1 << n }, (_, members) => members)
    .filter((members) => size(members) === n - t)
    .map((members) => ({ members, key: rng(PRSS_KEY_BYTES) }))
}

/** magic "TLKS" ‖ version(1) ‖ nonce(24) ‖ ciphertext ‖ tag(16), XChaCha20-Poly1305 over header and context. */
export function sealShare(
  encoded: Uint8Array,
  key: Uint8Array,
  context: Uint8Array,
  nonce: Uint8Array,
): Uint8Array {
  const body = xchacha20poly1305(key, nonce, concatBytes(SEAL_HEADER, context)).encrypt(encoded)
  return concatBytes(SEAL_HEADER, nonce, body)
}

/** Into a folder of its own, then renamed: a killed run leaves no half key, and the first of two wins. */
async function keep(folder: string, shares: readonly Uint8Array[]): Promise<void> {
  await mkdir(CACHE, { recursive: true })
  const scratch = await mkdtemp(join(CACHE, "dealing-"))
  try {
    await Promise.all(shares.map((bytes, i) => writeFile(join(scratch, String(i + 1)), bytes)))
    await rename(scratch, folder).catch((error: unknown) => {
      if (!existsSync(folder)) throw error
    })
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}
