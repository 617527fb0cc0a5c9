/** Shamir sharing over the ring (protocol §3): the polynomial's coefficients fix every share; t+1 shares give the secret. */
import { parsePartyIndex } from "@twinlock/sdk/protocol/ids"
import { alpha, decode, encode } from "@twinlock/sdk/threshold/galoisRing"
import { evaluate } from "@twinlock/sdk/threshold/polynomial"
import { interpolate } from "@twinlock/sdk/threshold/shamir"
import { seededRng } from "../../support/seededRng.ts"
import type { Case, Subject } from "../subject.ts"
import { hex, type Lines, unhex } from "../vector.ts"

const SIZES = [
  [4, 1],
  [5, 1],
  [7, 2],
  [10, 3],
  [13, 4],
  [15, 4],
] as const

function sharing(n: number, t: number): Case {
  const rng = seededRng(`vectors/shamir/${n}/${t}`)
  const coefficients: Lines = Array.from({ length: t + 1 }, () => ["coefficient", hex(rng(64))] as const)
  return {
    name: `shares_n${n}_t${t}`,
    comment: "shares of all parties; coefficients ascend, the first is the secret",
    inputs: [["operation", "share"], ["n", String(n)], ...coefficients],
  }
}

function opening(name: string, comment: string, parties: readonly number[]): Case {
  const rng = seededRng(`vectors/shamir/${name}`)
  return {
    name,
    comment,
    inputs: [
      ["operation", "interpolate"],
      ...parties.map((party) => ["share", `${party} ${hex(rng(64))}`] as const),
    ],
  }
}

export const shamir: Subject = {
  name: "shamir",
  expects: ["success", "SHAMIR_POINTS"],
  cases: () => [
    ...SIZES.map(([n, t]) => sharing(n, t)),
    opening("secret_of_one", "degree 0", [7]),
    opening("secret_of_parties_2_9_15", "any distinct parties, in any order", [15, 2, 9]),
    opening("secret_of_all_fifteen", "degree 14", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]),
    opening("party_twice", "two shares of one party", [3, 5, 3]),
    opening("no_share", "nothing to interpolate", []),
  ],
  run(inputs) {
    if (inputs.one("operation") === "interpolate") {
      const shares = inputs.indexed("share").map(([party, value]) => ({
        party: parsePartyIndex(party, 15),
        value: decode(unhex(value)),
      }))
      return [["secret", hex(encode(interpolate(shares)))]]
    }
    const coefficients = inputs.all("coefficient").map((text) => decode(unhex(text)))
    return Array.from({ length: inputs.number("n") }, (_, i) => {
      const value = evaluate(coefficients, alpha(i + 1))
      return ["share", `${i + 1} ${hex(encode(value))}`] as const
    })
  },
}
