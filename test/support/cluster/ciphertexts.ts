/** Ciphertexts of the load: encrypted once, kept as their bodies, since masks come back from a key stream. */
import { createHash } from "node:crypto"
import { blobBytesOf, blockCountOf, type FheType } from "@twinlock/sdk/protocol/fheType"
import { type DealtShares, NSC_BITS } from "../dealtShares.ts"
import { packedWords, rawWords } from "../encryptedWords.ts"
import { keystreamRng } from "../keystreamRng.ts"

export type TestWords = {
  readonly value: bigint
  /** SHA-256 of the canonical words, 64 hex digits. */
  readonly digest: string
}

export type Ciphertexts = {
  readonly fheType: FheType
  /** A fresh ciphertext of a random value. */
  next(): TestWords
  /** Canonical words by digest. */
  words(digest: string): Uint8Array | null
}

type Kept = { readonly label: string; readonly bodies: Uint8Array } | { readonly words: Uint8Array }

const WORD_BYTES = 16
/** Words that are kept whole for the next node that asks for them. */
const WHOLE = 128
const MASK_BYTES = NSC_BITS * WORD_BYTES

export function createCiphertexts(dealt: DealtShares, fheType: FheType): Ciphertexts {
  const values = keystreamRng(`values/${fheType}`)
  const noise = keystreamRng(`noise/${fheType}`)
  const isPacked = blobBytesOf(fheType) === MASK_BYTES + blockCountOf(fheType) * WORD_BYTES
  const kept = new Map<string, Kept>()
  const whole = new Map<string, Uint8Array>()
  let count = 0

  const randomValue = (): bigint => {
    const bits = BigInt(4 * blockCountOf(fheType))
    return BigInt.asUintN(Number(bits), BigInt(`0x${Buffer.from(values(32)).toString("hex")}`))
  }
  return {
    fheType,
    next() {
      const value = randomValue()
      const label = `masks/${fheType}/${count++}`
      const make = isPacked ? packedWords : rawWords
      const words = make(dealt.secret, fheType, value, keystreamRng(label), noise)
      const digest = createHash("sha256").update(words).digest("hex")
      kept.set(digest, isPacked ? { label, bodies: words.slice(MASK_BYTES) } : { words })
      return { value, digest }
    },
    words(digest) {
      const found = kept.get(digest)
      if (found === undefined) return null
      if ("words" in found) return found.words
      const words = whole.get(digest) ?? Buffer.concat([keystreamRng(found.label)(MASK_BYTES), found.bodies])
      whole.set(digest, words)
      const [oldest] = whole.keys()
      if (whole.size > WHOLE && oldest !== undefined) whole.delete(oldest)
      return words
    },
  }
}
