/** All chance of a run: one seed, split by name, so that a new draw in one place moves no other. */
import { sha256 } from "@noble/hashes/sha2.js"
import { utf8ToBytes } from "@twinlock/sdk/protocol/codec"

export type Random = {
  /** Integer in 0..n−1. */
  below(n: number): number
  /** Integer in least..most, both included. */
  between(least: number, most: number): number
  /** True with that probability. */
  chance(probability: number): boolean
  /** A positive number with that mean: mostly short, seldom long. */
  exponential(mean: number): number
  pick<T>(list: readonly T[]): T
  /** `count` different members in random order. */
  sample<T>(list: readonly T[], count: number): readonly T[]
  bytes(length: number): Uint8Array
  /** Another source, which depends on this one's name and `label` alone. */
  fork(label: string): Random
}

const rotate = (value: number, by: number): number => (value << by) | (value >>> (32 - by))

/** xoshiro128** over SHA-256 of the name. */
export function createRandom(name: string): Random {
  const state = new Uint32Array(sha256(utf8ToBytes(`twinlock simulation/${name}`)).slice(0, 16).buffer)
  let [a = 0, b = 0, c = 0, d = 0] = state
  const word = (): number => {
    const scrambled = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0
    const [third, fourth] = [c ^ a, d ^ b]
    ;[a, b, c, d] = [a ^ fourth, b ^ third, third ^ (b << 9), rotate(fourth, 11)]
    return scrambled
  }
  const unit = (): number => word() / 2 ** 32
  const below = (n: number): number => Math.floor(unit() * n)
  const random: Random = {
    below,
    between: (least, most) => least + below(most - least + 1),
    chance: (probability) => unit() < probability,
    exponential: (mean) => -mean * Math.log(1 - unit()),
    pick(list) {
      if (list.length === 0) throw new RangeError("nothing to pick from")
      return list[below(list.length)] as (typeof list)[number]
    },
    sample(list, count) {
      const rest = [...list]
      return Array.from(
        { length: Math.min(count, rest.length) },
        () => rest.splice(below(rest.length), 1)[0] as (typeof list)[number],
      )
    },
    bytes: (length) => Uint8Array.from({ length }, () => word() >>> 24),
    fork: (label) => createRandom(`${name}/${label}`),
  }
  return random
}
