/** Robust opening in arrival order (protocol §3): who is believed when, and who is named. */
import { parsePartyIndex } from "@twinlock/sdk/protocol/ids"
import { alpha, decode, encode, type RingElement } from "@twinlock/sdk/threshold/galoisRing"
import { evaluate } from "@twinlock/sdk/threshold/polynomial"
import { createOpening, type OpeningState } from "@twinlock/sdk/threshold/robustReconstruct"
import { seededRng } from "../../support/seededRng.ts"
import type { Case, Subject } from "../subject.ts"
import { hex, type Lines, unhex } from "../vector.ts"

/** What a party says: its true share changed in these bits of these blocks, or another length. */
type Arrival = {
  readonly party: number
  readonly flips?: readonly (readonly [block: number, bit: number])[]
  readonly cut?: number
}
type Script = {
  readonly n: number
  readonly t: number
  readonly blocks?: number
  /** Degree of the dealt polynomials; t unless somebody dealt wrongly. */
  readonly degree?: number
  readonly arrivals: readonly Arrival[]
}

const honest = (...parties: readonly number[]): readonly Arrival[] => parties.map((party) => ({ party }))

function scripted(name: string, comment: string, { n, t, blocks = 1, degree = t, arrivals }: Script): Case {
  const rng = seededRng(`vectors/reconstruct/${name}`)
  const polynomials: readonly (readonly RingElement[])[] = Array.from({ length: blocks }, () =>
    Array.from({ length: degree + 1 }, () => decode(rng(64))),
  )
  const said = ({ party, flips = [], cut = 0 }: Arrival): string => {
    const share = Buffer.concat(
      polynomials.map((coefficients) => encode(evaluate(coefficients, alpha(party)))),
    )
    for (const [block, bit] of flips) {
      const at = 64 * block + (bit >> 3)
      share[at] = (share[at] ?? 0) ^ (1 << (bit & 7))
    }
    return hex(share.subarray(0, share.length - cut))
  }
  return {
    name,
    comment,
    inputs: [
      ["n", String(n)],
      ["t", String(t)],
      ["blocks", String(blocks)],
      ...arrivals.map((arrival) => ["arrival", `${arrival.party} ${said(arrival)}`] as const),
    ],
  }
}

const lie = (party: number, ...flips: readonly (readonly [number, number])[]): Arrival => ({ party, flips })

function line(state: OpeningState): string {
  const culprits = state.culprits.length === 0 ? "-" : state.culprits.join(",")
  const values =
    state.status === "opened" ? ` ${state.values.map((value) => hex(encode(value))).join("")}` : ""
  return `${state.status} ${culprits}${values}`
}

export const reconstruct: Subject = {
  name: "reconstruct",
  expects: ["success", "OPENING_SHARE_LENGTH", "BAD_PARTY_INDEX", "COMMITTEE_SIZE", "OPENING_SIZE"],
  cases: () => [
    scripted("honest_n4_t1", "opened by the third share", { n: 4, t: 1, arrivals: honest(1, 2, 3, 4) }),
    scripted("honest_n5_t1", "n above 3t+1: the third share still opens", {
      n: 5,
      t: 1,
      arrivals: honest(5, 1, 3, 2),
    }),
    scripted("honest_n13_t4_two_blocks", "the ninth share opens both blocks", {
      ...{ n: 13, t: 4, blocks: 2 },
      arrivals: honest(13, 2, 11, 4, 9, 6, 7, 8, 5, 10),
    }),
    scripted("first_lies_n4_t1", "a lie heard first: all four are needed", {
      ...{ n: 4, t: 1 },
      arrivals: [lie(2, [0, 0]), ...honest(1, 3, 4)],
    }),
    scripted("high_bit_lie_n4_t1", "a lie in bit 90 of X^2 alone, invisible modulo 2", {
      ...{ n: 4, t: 1 },
      arrivals: [lie(3, [0, 2 * 128 + 90]), ...honest(1, 2, 4)],
    }),
    scripted("late_lie_n4_t1", "a lie that comes after the opening is named, the value stands", {
      ...{ n: 4, t: 1 },
      arrivals: [...honest(1, 2, 4), lie(3, [0, 127])],
    }),
    scripted("two_liars_n7_t2", "two liars in different bits", {
      ...{ n: 7, t: 2 },
      arrivals: [lie(3, [0, 5]), lie(6, [0, 300]), ...honest(1, 2, 4, 5, 7)],
    }),
    scripted("two_liars_two_blocks_n7_t2", "each lies in another block", {
      ...{ n: 7, t: 2, blocks: 2 },
      arrivals: [lie(1, [0, 64]), lie(7, [1, 511]), ...honest(2, 3, 4, 5, 6)],
    }),
    scripted("four_liars_n13_t4", "the worst case: four liars first, in four bits", {
      ...{ n: 13, t: 4 },
      arrivals: [
        lie(1, [0, 1]),
        lie(5, [0, 130]),
        lie(9, [0, 90]),
        lie(13, [0, 127]),
        ...honest(2, 3, 4, 6, 7, 8, 10, 11, 12),
      ],
    }),
    scripted("four_liars_n15_t4", "n above 3t+1 with t liars", {
      ...{ n: 15, t: 4 },
      arrivals: [
        lie(2, [0, 9]),
        lie(4, [0, 9]),
        lie(6, [0, 9]),
        lie(8, [0, 9]),
        ...honest(1, 3, 5, 7, 9, 10, 11, 12, 13, 14, 15),
      ],
    }),
    scripted("too_many_liars_n4_t1", "two liars of four: nothing is opened", {
      ...{ n: 4, t: 1 },
      arrivals: [lie(1, [0, 3]), lie(2, [0, 77]), ...honest(3, 4)],
    }),
    scripted("degree_above_t_n4_t1", "shares of degree 2 are of no sharing: nothing is opened", {
      ...{ n: 4, t: 1, degree: 2 },
      arrivals: honest(1, 2, 3, 4),
    }),
    scripted("two_faces_n4_t1", "two different shares of one party name it; the first one counts", {
      ...{ n: 4, t: 1 },
      arrivals: [...honest(1), lie(1, [0, 20]), ...honest(2, 3)],
    }),
    scripted("repeat_n4_t1", "a repeat changes nothing", { n: 4, t: 1, arrivals: honest(1, 1, 1, 2, 2, 3) }),
    scripted("too_few_n7_t2", "2t shares open nothing", { n: 7, t: 2, arrivals: honest(1, 2, 3, 4) }),
    scripted("share_cut_short", "63 bytes of one block name their sender", {
      ...{ n: 4, t: 1 },
      arrivals: [...honest(1), { party: 2, cut: 1 }],
    }),
    scripted("share_of_no_party", "party 5 of 4", { n: 4, t: 1, arrivals: honest(1, 5) }),
    scripted("committee_too_small", "n = 3t", { n: 6, t: 2, arrivals: honest(1) }),
    scripted("no_blocks", "an opening has at least one block", { n: 4, t: 1, blocks: 0, arrivals: [] }),
  ],
  run(inputs): Lines {
    const n = inputs.number("n")
    const opening = createOpening({ n, t: inputs.number("t"), blocks: inputs.number("blocks") })
    return inputs
      .indexed("arrival")
      .map(
        ([party, share]) => ["state", line(opening.add(parsePartyIndex(party, 15), unhex(share)))] as const,
      )
  },
}
