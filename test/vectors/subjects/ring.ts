/** Arithmetic of the ring (protocol §3). Elements are their 64 encoded bytes. */
import { decode, encode, invert, mul } from "@twinlock/sdk/threshold/galoisRing"
import { seededRng } from "../../support/seededRng.ts"
import type { Case, Subject } from "../subject.ts"
import { hex } from "../vector.ts"

const random = (label: string): string => hex(seededRng(`vectors/ring/${label}`)(64))
const even = (text: string): string =>
  hex(Uint8Array.from(Buffer.from(text, "hex"), (byte, i) => (i % 16 === 0 ? byte & 0xfe : byte)))
const word = (value: bigint): string =>
  value.toString(16).padStart(32, "0").match(/../g)?.reverse().join("") ?? ""
const element = (...coefficients: readonly bigint[]): string => coefficients.map(word).join("")
const TOP = 1n << 127n
const MAX = (1n << 128n) - 1n

const product = (name: string, comment: string, a: string, b: string): Case => ({
  name,
  comment,
  inputs: [
    ["operation", "multiply"],
    ["a", a],
    ["b", b],
  ],
})
const inverse = (name: string, comment: string, a: string): Case => ({
  name,
  comment,
  inputs: [
    ["operation", "invert"],
    ["a", a],
  ],
})

export const ring: Subject = {
  name: "ring",
  expects: ["success", "RING_NOT_A_UNIT", "RING_LENGTH"],
  cases: () => [
    ...[1, 2, 3, 4].map((i) =>
      product(`product_random_${i}`, "two random elements", random(`a${i}`), random(`b${i}`)),
    ),
    product(
      "product_carry",
      "every coefficient is 2^128-1",
      element(MAX, MAX, MAX, MAX),
      element(MAX, MAX, MAX, MAX),
    ),
    product(
      "product_top_bits",
      "X^3·2^127 times X^3: reduction of X^6",
      element(0n, 0n, 0n, TOP),
      element(0n, 0n, 0n, 1n),
    ),
    product(
      "product_wraps_to_zero",
      "2^64 times 2^64",
      element(1n << 64n, 0n, 0n, 0n),
      element(1n << 64n, 0n, 0n, 0n),
    ),
    ...[1, 2, 3].map((i) => inverse(`inverse_random_${i}`, "a random unit", unit(`u${i}`))),
    inverse("inverse_of_high_bits", "a unit whose residue is X^3", element(TOP, 2n, 4n, MAX)),
    inverse("inverse_of_even", "no coefficient is odd: a multiple of 2", even(random("even"))),
    inverse("inverse_of_zero", "zero", element(0n, 0n, 0n, 0n)),
    inverse("element_cut_short", "63 bytes are no element", random("short").slice(2)),
  ],
  run(inputs) {
    const a = decode(inputs.bytes("a"))
    if (inputs.one("operation") === "invert") return [["result", hex(encode(invert(a)))]]
    return [["result", hex(encode(mul(a, decode(inputs.bytes("b")))))]]
  },
}

function unit(label: string): string {
  const bytes = Buffer.from(random(label), "hex")
  bytes[0] = (bytes[0] ?? 0) | 1
  return hex(bytes)
}
