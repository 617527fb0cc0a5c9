/** Randomness of one fuzz case: the same seed and case number give the same choices on every machine. */
import { sha256 } from "@noble/hashes/sha2.js"
import { utf8ToBytes } from "@twinlock/sdk/protocol/codec"

export type Rng = {
  /** Integer in 0..n−1. */
  readonly below: (n: number) => number
  /** True once in `n` calls. */
  readonly oneIn: (n: number) => boolean
  readonly pick: <T>(list: readonly T[]) => T
  readonly bytes: (length: number) => Uint8Array
}

/** xoshiro128** over SHA-256 of seed and case number. */
export function createRng(seed: string, caseNumber: number): Rng {
  const state = new Uint32Array(sha256(utf8ToBytes(`${seed}/${caseNumber}`)).slice(0, 16).buffer)
  const word = (): number => {
    const [a = 0, b = 0, c = 0, d = 0] = state
    const scrambled = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0
    const [third, fourth] = [c ^ a, d ^ b]
    state[0] = a ^ fourth
    state[1] = b ^ third
    state[2] = third ^ (b << 9)
    state[3] = rotate(fourth, 11)
    return scrambled
  }
  const below = (n: number): number => (n <= 1 ? 0 : word() % n)
  return {
    below,
    oneIn: (n) => below(n) === 0,
    pick: (list) => {
      if (list.length === 0) throw new RangeError("nothing to pick from")
      return list[below(list.length)] as (typeof list)[number]
    },
    bytes: (length) => Uint8Array.from({ length }, () => word() & 0xff),
  }
}

const rotate = (value: number, by: number): number => (value << by) | (value >>> (32 - by))
