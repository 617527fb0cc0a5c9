/** Threshold signatures (protocol §6): shares, the group signature as a contract takes it, and who is named. */

import { secp256k1 } from "@noble/curves/secp256k1.js"
import { parseDigest, parsePartyIndex } from "@twinlock/sdk/protocol/ids"
import { FrostKeyShare, groupKey, type PublicKeyPackage, toEthereum } from "@twinlock/sdk/threshold/frost"
import type { Signing } from "@twinlock/sdk/threshold/frostRound"
import {
  aggregate,
  createNonces,
  createSignatureShare,
  SigningNonces,
} from "@twinlock/sdk/threshold/frostSign"
import { generateFrostGroup } from "../../support/frostGroup.ts"
import { seededRng } from "../../support/seededRng.ts"
import type { Case, Subject } from "../subject.ts"
import { hex, Inputs, type Lines, unhex } from "../vector.ts"

const N = secp256k1.Point.Fn.ORDER

/** Nonces with their scalars in the open, which production never has: the model recomputes the commitments from them. */
function openNonces(
  share: FrostKeyShare,
  label: string,
): { readonly secret: string; readonly commitment: string } {
  const nonces = createNonces(share, seededRng(label))
  const commitment = hex(nonces.commitment)
  const { hiding, binding } = nonces.consume()
  return { secret: hex(hiding) + hex(binding), commitment }
}

type Change = {
  /** Replaces a party's answer. */
  readonly answer?: (party: number, share: string) => string
  /** Replaces a party's commitment in the list. */
  readonly commitment?: (party: number, commitment: string) => string
  readonly list?: (parties: readonly number[]) => readonly number[]
}

function signing(
  name: string,
  comment: string,
  n: number,
  t: number,
  parties: readonly number[],
  change: Change = {},
): Case {
  const group = generateFrostGroup(n, t, `vectors/frost/${n}/${t}`)
  const message = hex(seededRng(`vectors/frost/${name}`)(32))
  const members = parties.map((party) => {
    const share = group.keyShares.get(parsePartyIndex(party, n))
    if (share === undefined) throw new Error("no share")
    const nonces = openNonces(share, `vectors/frost/${name}/${party}`)
    return { party, secret: share.use((bytes) => hex(bytes)), nonces }
  })
  const base: Lines = [
    ["n", String(n)],
    ["quorum", String(2 * t + 1)],
    ["message", message],
    ...group.publicKey.commitments.map((point) => ["groupCommitment", hex(point)] as const),
    ...members.map(({ party, secret }) => ["keyShare", `${party} ${secret}`] as const),
    ...members.map(({ party, nonces }) => ["nonces", `${party} ${nonces.secret}`] as const),
    ...members.map(({ party, nonces }) => ["commitment", `${party} ${nonces.commitment}`] as const),
  ]
  const spoil = ([key, value]: readonly [string, string]): readonly [string, string] => {
    const [party = "", text = ""] = value.split(" ")
    return key === "commitment" && change.commitment
      ? [key, `${party} ${change.commitment(Number(party), text)}`]
      : [key, value]
  }
  const answers = change.answer
  const inputs: Lines = base.map(spoil)
  if (answers === undefined) return { name, comment, inputs }
  const made = sharesOf(new Inputs(inputs))
  return {
    name,
    comment,
    inputs: [
      ...inputs,
      ...made.map(([party, share]) => ["answer", `${party} ${answers(party, share)}`] as const),
    ],
  }
}

function packageOf(inputs: Inputs): PublicKeyPackage {
  const commitments = inputs.all("groupCommitment").map(unhex)
  const points = commitments.map((bytes) => secp256k1.Point.fromBytes(bytes))
  const n = inputs.number("n")
  const verificationShares = Array.from({ length: n }, (_, i) =>
    points
      .reduceRight((sum, point) => sum.multiplyUnsafe(BigInt(i + 1)).add(point), secp256k1.Point.ZERO)
      .toBytes(),
  )
  return { n, quorum: inputs.number("quorum"), commitments, verificationShares }
}

function signingOf(inputs: Inputs): Signing {
  const list = inputs.indexed("commitment").map(([party, value]) => ({
    party: parsePartyIndex(party, 15),
    commitment: unhex(value),
  }))
  return { publicKey: packageOf(inputs), list, message: parseDigest(`0x${inputs.one("message")}`) }
}

function sharesOf(inputs: Inputs): readonly (readonly [number, string])[] {
  const signed = signingOf(inputs)
  const nonces = new Map(inputs.indexed("nonces"))
  return inputs.indexed("keyShare").map(([party, secret]) => {
    const scalars = unhex(nonces.get(party) ?? "")
    const commitment = signed.list.find((signer) => signer.party === party)?.commitment ?? new Uint8Array()
    const own = new SigningNonces(commitment, { hiding: scalars.slice(0, 32), binding: scalars.slice(32) })
    const share = new FrostKeyShare(parsePartyIndex(party, 15), unhex(secret))
    return [party, hex(createSignatureShare(signed, share, own))] as const
  })
}

const flip = (text: string): string =>
  text.slice(0, -1) + (Number.parseInt(text.slice(-1), 16) ^ 1).toString(16)
const flipFirst = (text: string): string => flip(text.slice(0, 2)) + text.slice(2)
const shifted = (text: string, by: bigint): string =>
  ((BigInt(`0x${text}`) + by + N) % N).toString(16).padStart(64, "0")
const only =
  (liars: readonly number[], change: (text: string) => string) =>
  (party: number, text: string): string =>
    liars.includes(party) ? change(text) : text

export const frost: Subject = {
  name: "frost",
  expects: ["success", "FROST_SHARE_INVALID", "FROST_SHARE_RANGE", "FROST_COMMITMENT", "FROST_FORM"],
  cases: () => [
    signing("quorum_of_4", "3 of 4", 4, 1, [1, 2, 3]),
    signing("all_of_4", "4 of 4", 4, 1, [1, 2, 3, 4]),
    signing("last_three_of_5", "3 of 5", 5, 1, [3, 4, 5]),
    signing("quorum_of_7", "5 of 7", 7, 2, [1, 3, 4, 6, 7]),
    signing("quorum_of_13", "9 of 13", 13, 4, [1, 2, 4, 5, 7, 9, 10, 12, 13]),
    signing("one_liar", "party 2 flips a bit of its share", 4, 1, [1, 2, 3], { answer: only([2], flip) }),
    signing("two_liars", "parties 3 and 7 lie", 7, 2, [1, 3, 4, 6, 7], {
      answer: (party, text) => (party === 3 ? flipFirst(text) : party === 7 ? flip(text) : text),
    }),
    signing(
      "lies_that_cancel",
      "two changes whose sum is zero leave the signature valid",
      7,
      2,
      [1, 3, 4, 6, 7],
      {
        answer: (party, text) => (party === 3 ? shifted(text, 1n) : party === 7 ? shifted(text, -1n) : text),
      },
    ),
    signing("share_of_order", "a share of n is no scalar", 4, 1, [1, 2, 3], {
      answer: only([3], () => N.toString(16)),
    }),
    signing("share_cut_short", "31 bytes", 4, 1, [1, 2, 3], { answer: only([1], (text) => text.slice(2)) }),
    signing("commitment_off_the_curve", "x = 5 is on no point of the curve", 4, 1, [1, 2, 3], {
      commitment: only([2], (text) => `02${"5".padStart(64, "0")}${text.slice(66)}`),
    }),
    signing("below_the_quorum", "2 of 4 sign nothing", 4, 1, [1, 2]),
    signing("signers_out_of_order", "a list ascends", 4, 1, [2, 1, 3]),
  ],
  run(inputs) {
    const signed = signingOf(inputs)
    const answers = inputs.indexed("answer")
    const shares = answers.length > 0 ? answers : sharesOf(inputs)
    const signature = aggregate(
      signed,
      new Map(shares.map(([party, share]) => [parsePartyIndex(party, 15), unhex(share)])),
    )
    const { r, s } = toEthereum(signature)
    const { groupX, groupV } = groupKey(signed.publicKey)
    return [
      ["groupX", groupX.toString(16).padStart(64, "0")],
      ["groupV", String(groupV)],
      ...shares.map(([party, share]) => ["share", `${party} ${share}`] as const),
      ["r", r.slice(2)],
      ["s", s.toString(16).padStart(64, "0")],
    ]
  },
}
