/** Ciphertexts with known plaintexts, and holders that share them: fast, without masks, the same bytes every time. */
import type { ShareHolder } from "@twinlock/node/decryption/release"
import { sha256Digest, taggedHash } from "@twinlock/sdk/protocol/codec"
import type { Commitment } from "@twinlock/sdk/protocol/commitment"
import { blobBytesOf, blockCountOf, type FheType } from "@twinlock/sdk/protocol/fheType"
import type { Digest, Handle, PartyIndex, SessionId } from "@twinlock/sdk/protocol/ids"
import { type CiphertextKey, committed, handleOf, sharesOfValue } from "../support/knownCiphertext.ts"
import { createRandom, type Random } from "./random.ts"

export type Ciphertext = {
  readonly handle: Handle
  readonly value: bigint
  readonly blockCount: number
  readonly session: SessionId
  readonly squashedDigest: Digest
  readonly words: Uint8Array
  readonly details: Commitment
  readonly leaf: Digest
}

/** bool, and 8 bits: one and two blocks. */
const TYPES: readonly FheType[] = [0, 2]
const WORDS_KEPT = 24

type Words = { readonly bytes: Uint8Array; readonly digest: Digest }
const pool = new Map<string, Words>()

/** Long and public: made once for all runs of this process. */
function wordsOf(fheType: FheType, number: number): Words {
  const name = `words/${fheType}/${number}`
  const known = pool.get(name)
  if (known !== undefined) return known
  const bytes = new Uint8Array(blobBytesOf(fheType))
  bytes.set(createRandom(name).bytes(64))
  const made = { bytes, digest: sha256Digest(bytes) }
  pool.set(name, made)
  return made
}

/** @param number within the run: no two ciphertexts of a run have the same words. */
export function createCiphertext(key: CiphertextKey, number: number, random: Random): Ciphertext {
  const fheType = random.pick(TYPES)
  const handle = handleOf(key.domain, taggedHash("simulated handle", number), fheType)
  return ciphertextWith(key, handle, fheType, number, random)
}

/** Other words for the same handle: what dishonest executors would anchor. */
export const otherWords = (key: CiphertextKey, of: Ciphertext, number: number, random: Random): Ciphertext =>
  ciphertextWith(key, of.handle, of.details.fheType, number, random)

function ciphertextWith(
  key: CiphertextKey,
  handle: Handle,
  fheType: FheType,
  number: number,
  random: Random,
): Ciphertext {
  const { bytes: words, digest: squashedDigest } = wordsOf(fheType, number % WORDS_KEPT)
  return {
    ...committed(key, handle, fheType, squashedDigest),
    ...{ handle, words, squashedDigest, blockCount: blockCountOf(fheType) },
    value: BigInt(random.below(fheType === 0 ? 2 : 256)),
  }
}

/** Shares of all parties, by session: dealt once, handed out by party. */
export type Dealer = { sharesOf(session: SessionId, party: PartyIndex): Uint8Array }

export function createDealer(
  { n, t }: { readonly n: number; readonly t: number },
  ciphertexts: ReadonlyMap<SessionId, Ciphertext>,
  random: Random,
): Dealer {
  const dealt = new Map<SessionId, readonly Uint8Array[]>()
  const deal = (session: SessionId): readonly Uint8Array[] => {
    const ciphertext = ciphertexts.get(session)
    if (ciphertext === undefined) throw new Error(`no ciphertext of session ${session}`)
    const rng = random.fork(session).bytes
    return sharesOfValue(ciphertext.value, ciphertext.blockCount, { n, t }, () => rng)
  }
  return {
    sharesOf(session, party) {
      const known = dealt.get(session) ?? deal(session)
      dealt.set(session, known)
      return Uint8Array.from(known[party - 1] ?? [])
    },
  }
}

/** What answers for a party's key share, one session at a time. */
export const holderOf = (sharesOf: (session: SessionId) => Promise<Uint8Array>): ShareHolder => ({
  decryptionShares: (work) => Promise.all(work.map(({ session }) => sharesOf(session))),
})
