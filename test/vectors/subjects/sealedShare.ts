/** Shares sealed to a user (protocol §10): X-Wing, HKDF-SHA256, XChaCha20-Poly1305. */
import {
  parseAddress,
  parseDigest,
  parseEpoch,
  parseHandle,
  parseKeyId,
  parsePartyIndex,
  parseSessionId,
} from "@twinlock/sdk/protocol/ids"
import {
  openShare,
  type SealedShareContext,
  sealedShareDigest,
  sealShare,
  TransportKey,
} from "@twinlock/sdk/threshold/sealedShare"
import { seededRng } from "../../support/seededRng.ts"
import type { Case, Subject } from "../subject.ts"
import { hex, Inputs, type Lines, unhex } from "../vector.ts"

const FIELDS = {
  keyId: 32,
  sessionId: 32,
  handle: 32,
  user: 20,
  permitHash: 32,
} as const

function contextLines(label: string): Lines {
  const rng = seededRng(`vectors/sealed_share/${label}/context`)
  return [
    ...Object.entries(FIELDS).map(([name, bytes]) => [name, hex(rng(bytes))] as const),
    ["epoch", "3"],
    ["chainId", "31337"],
    ["party", "4"],
  ]
}

function contextOf(inputs: Inputs): SealedShareContext {
  const field = (key: string) => `0x${inputs.one(key)}`
  return {
    keyId: parseKeyId(field("keyId")),
    epoch: parseEpoch(inputs.number("epoch")),
    sessionId: parseSessionId(field("sessionId")),
    chainId: BigInt(inputs.one("chainId")),
    handle: parseHandle(field("handle")),
    user: parseAddress(field("user")),
    permitHash: parseDigest(field("permitHash")),
    party: parsePartyIndex(inputs.number("party"), 15),
  }
}

type Change = {
  /** Bit of the box to flip. */
  readonly flip?: number
  /** Bytes to leave out at the end. */
  readonly cut?: number
  /** Fields of the context to open it under. */
  readonly under?: Lines
  /** Session inside the box, where it is not the context's. */
  readonly inside?: string
}

function sealed(name: string, comment: string, blocks: number, change: Change = {}): Case {
  const rng = seededRng(`vectors/sealed_share/${name}`)
  const secret = rng(32)
  const context = contextLines(name)
  const under = context.map(
    ([key, value]) => change.under?.find(([other]) => other === key) ?? ([key, value] as const),
  )
  const key = new TransportKey(secret)
  const box = sealShare(key.publicKey, contextOf(new Inputs(context)), rng(64 * blocks), rng)
  if (change.flip !== undefined)
    box[change.flip >> 3] = (box[change.flip >> 3] ?? 0) ^ (1 << (change.flip & 7))
  return {
    name,
    comment,
    inputs: [
      ["secretKey", hex(secret)],
      ...under,
      ["sealed", hex(box.subarray(0, box.length - (change.cut ?? 0)))],
    ],
  }
}

const other = (key: string, bytes: number): Lines => [[key, "ab".repeat(bytes)]]

export const sealedShare: Subject = {
  name: "sealed_share",
  expects: ["success", "SEALED_SHARE_FORM", "SEALED_SHARE_OPEN"],
  cases: () => [
    sealed("one_block", "a share of one block", 1),
    sealed("sixteen_blocks", "a share of a uint64", 16),
    sealed("no_blocks", "an empty share is sealed like any other", 0),
    sealed("another_session", "opened under another session", 1, { under: other("sessionId", 32) }),
    sealed("another_user", "opened under another user", 1, { under: other("user", 20) }),
    sealed("another_handle", "opened under another handle", 1, { under: other("handle", 32) }),
    sealed("another_party", "opened as another party's", 1, { under: [["party", "5"]] }),
    sealed("another_epoch", "opened under another epoch", 1, { under: [["epoch", "4"]] }),
    sealed("flipped_version", "version 0", 1, { flip: 0 }),
    sealed("flipped_lattice_part", "a bit of the ML-KEM ciphertext: implicit rejection", 1, {
      flip: 8 * 100,
    }),
    sealed("flipped_curve_part", "a bit of the X25519 point", 1, { flip: 8 * 1100 }),
    sealed("flipped_content", "a bit of the encrypted share", 1, { flip: 8 * 1160 }),
    sealed("flipped_tag", "the last bit", 1, { flip: 8 * (1 + 1120 + 32 + 64 + 16) - 1 }),
    sealed("cut_below_the_least", "shorter than any sealed share", 0, { cut: 1 }),
  ],
  run(inputs) {
    const context = contextOf(inputs)
    const box = unhex(inputs.one("sealed"))
    const share = openShare(inputs.bytes("secretKey"), context, box)
    return [
      ["share", hex(share)],
      ["digest", sealedShareDigest(context, box).slice(2)],
    ]
  },
}
