/**
 * A party's masked decryption share (protocol §3 for the PRSS keys, §5 for the share), as the native addon computes it.
 * Key, words and replicated keys are long: the file names the labels from which they follow (README.md).
 */
import { unsealKeyShare } from "@twinlock/node/threshold/keyShare"
import { concatBytes, utf8ToBytes } from "@twinlock/sdk/protocol/codec"
import type { WordFormat } from "@twinlock/sdk/protocol/fheType"
import { parseSessionId } from "@twinlock/sdk/protocol/ids"
import { sealShare } from "../../support/dealtShares.ts"
import { seededRng } from "../../support/seededRng.ts"
import type { Case, Subject } from "../subject.ts"
import { hex, type Inputs } from "../vector.ts"

const ELEMENTS = 4096 + 6144
const bytesOf = { raw: (blocks: number) => 65_552 * blocks, packed: (blocks: number) => 16 * (6144 + blocks) }

type Place = {
  readonly n: number
  readonly t: number
  readonly party: number
  readonly format: WordFormat
  readonly blocks: number
  /** Label of the words; "zero" leaves the mask alone. */
  readonly words: string
}

const share = (name: string, comment: string, place: Place): Case => ({
  name,
  comment,
  inputs: [
    ...Object.entries(place).map(([key, value]) => [key, String(value)] as const),
    ["elements", `vectors/share/${name}/elements`],
    ["keys", `vectors/share/${name}/keys`],
    ["session", hex(seededRng(`vectors/share/${name}/session`)(32))],
  ],
})

/** version ‖ n ‖ t ‖ party ‖ elements ‖ the replicated keys of the sets that the party is in, ascending by bitmask. */
function encodedShare(inputs: Inputs): Uint8Array {
  const [n, t, party] = [inputs.number("n"), inputs.number("t"), inputs.number("party")]
  const isHeld = (set: number) =>
    (set >> (party - 1)) & 1 && set.toString(2).replaceAll("0", "").length === n - t
  const sets = Array.from({ length: 1 << n }, (_, set) => set).filter(isHeld)
  return concatBytes(
    Uint8Array.of(1, n, t, party),
    seededRng(inputs.one("elements"))(64 * ELEMENTS),
    ...sets.map((set) => seededRng(`${inputs.one("keys")}/${set}`)(32)),
  )
}

export const decryptionShare: Subject = {
  name: "share",
  expects: ["success", "SHARE_WORDS"],
  cases: () => [
    share("mask_n4_t1_party_1", "zero words leave the flooding mask alone", {
      ...{ n: 4, t: 1, party: 1 },
      ...{ format: "raw", blocks: 2, words: "zero" },
    }),
    share("mask_n5_t1_party_5", "n above 3t+1", {
      ...{ n: 5, t: 1, party: 5 },
      ...{ format: "raw", blocks: 1, words: "zero" },
    }),
    share("mask_n13_t4_party_7", "495 replicated keys", {
      ...{ n: 13, t: 4, party: 7 },
      ...{ format: "raw", blocks: 1, words: "zero" },
    }),
    share("mask_n15_t4_party_15", "1001 replicated keys", {
      ...{ n: 15, t: 4, party: 15 },
      ...{ format: "raw", blocks: 1, words: "zero" },
    }),
    share("raw_words_n4_t1", "random words of two blocks", {
      ...{ n: 4, t: 1, party: 3 },
      ...{ format: "raw", blocks: 2, words: "vectors/share/raw/words" },
    }),
    share("packed_words_n7_t2", "random packed words of eight blocks", {
      ...{ n: 7, t: 2, party: 6 },
      ...{ format: "packed", blocks: 8, words: "vectors/share/packed/words" },
    }),
    share("packed_mask_n4_t1", "the mask of packed words is not that of raw ones", {
      ...{ n: 4, t: 1, party: 1 },
      ...{ format: "packed", blocks: 8, words: "zero" },
    }),
    share("three_blocks", "no type has three blocks", {
      ...{ n: 4, t: 1, party: 1 },
      ...{ format: "raw", blocks: 3, words: "zero" },
    }),
  ],
  async run(inputs) {
    const [key, context] = [new Uint8Array(32), utf8ToBytes("vectors")]
    const sealed = sealShare(encodedShare(inputs), key, context, new Uint8Array(24))
    const format = inputs.one("format") as WordFormat
    const length = bytesOf[format](inputs.number("blocks"))
    const words =
      inputs.one("words") === "zero" ? new Uint8Array(length) : seededRng(inputs.one("words"))(length)
    const session = parseSessionId(`0x${inputs.one("session")}`)
    const held = unsealKeyShare(sealed, key, context)
    try {
      const [made = new Uint8Array()] = await held.decryptionShares([{ words, session, format }])
      return [["share", hex(made)]]
    } finally {
      held.destroy()
    }
  },
}
