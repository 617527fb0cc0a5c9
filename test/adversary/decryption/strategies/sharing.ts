/** Lies about decryption shares (protocol §3, §5). */
import { keccakBytes, taggedHash, utf8ToBytes } from "@twinlock/sdk/protocol/codec"
import { type PartyIndex, parseEpoch, parseSessionId } from "@twinlock/sdk/protocol/ids"
import { encodeMessage } from "@twinlock/sdk/protocol/messageEncoding"
import type { DecryptionShares, GossipMessage, SessionShare } from "@twinlock/sdk/protocol/messages"
import { add, alpha, decode, encode, mul, type RingElement, scalar } from "@twinlock/sdk/threshold/galoisRing"
import { evaluate } from "@twinlock/sdk/threshold/polynomial"
import { seededRng } from "../../../support/seededRng.ts"
import { resigned, type Said, type Strategy } from "../arena.ts"

type Change = (item: SessionShare, index: number, to: PartyIndex, self: PartyIndex) => readonly SessionShare[]

/** Changes the shares that leave; every other message is honest. */
const shares =
  (change: Change): NonNullable<Strategy["says"]> =>
  (message, to, _arena, { seat }) => {
    if (message.kind !== "decryption-shares") return [message]
    const changed = message.shares.flatMap((item, index) => change(item, index, to, seat.self))
    return changed.length === 0 ? [] : [resigned<DecryptionShares>(seat, message, { shares: changed })]
  }

const bytes = (item: SessionShare, share: Uint8Array): readonly SessionShare[] => [{ ...item, share }]

/** Flips one bit of block 0: coefficient of X^power, bit 0..127. */
function flipped(share: Uint8Array, power: number, bit: number): Uint8Array {
  const out = Uint8Array.from(share)
  const at = 16 * power + (bit >> 3)
  out[at] = (out[at] ?? 0) ^ (1 << (bit & 7))
  return out
}

/** Adds the same ring element to every block. */
function shifted(share: Uint8Array, by: RingElement): Uint8Array {
  const blocks = Array.from({ length: share.length / 64 }, (_, k) => encode(add(decode(share, k), by)))
  return new Uint8Array(Buffer.concat(blocks))
}

/** A polynomial that all traitors share, with this value at 0. */
const conspiracy = (degree: number, atZero: RingElement): readonly RingElement[] => {
  const rng = seededRng(`conspiracy/${degree}`)
  return [atZero, ...Array.from({ length: degree }, () => decode(rng(64)))]
}
const conspire =
  (degree: (t: number) => number, atZero: RingElement): NonNullable<Strategy["says"]> =>
  (message, to, arena, traitor) =>
    shares((item, _index, _to, self) =>
      bytes(item, shifted(item.share, evaluate(conspiracy(degree(arena.size.t), atZero), alpha(self)))),
    )(message, to, arena, traitor)

const strategy = (
  name: string,
  tries: string,
  blamed: Strategy["blamed"],
  says: NonNullable<Strategy["says"]>,
): Strategy => ({ name, tries, blamed, says })

const isSharing = (message: GossipMessage): message is DecryptionShares =>
  message.kind === "decryption-shares"

export const sharing: readonly Strategy[] = [
  strategy("silent", "says nothing at all", "nowhere", () => []),
  strategy("approves-only", "approves and keeps its shares", "nowhere", (message) =>
    isSharing(message) ? [] : [message],
  ),
  strategy("shares-only", "shares and does not approve", "nowhere", (message) =>
    message.kind === "approval" ? [] : [message],
  ),
  ...(
    [
      ["lie-in-bit-0", 0, 0],
      ["lie-in-bit-127", 0, 127],
      ["lie-in-bit-90-of-x2", 2, 90],
    ] as const
  ).map(([name, power, bit]) =>
    strategy(
      name,
      `flips bit ${bit} of the coefficient of X^${power}`,
      "everywhere",
      shares((item) => bytes(item, flipped(item.share, power, bit))),
    ),
  ),
  strategy(
    "random-share",
    "random bytes of the right length",
    "everywhere",
    shares((item, index, _to, self) => bytes(item, seededRng(`random/${self}/${index}`)(item.share.length))),
  ),
  strategy(
    "zero-share",
    "zeros of the right length",
    "everywhere",
    shares((item) => bytes(item, new Uint8Array(item.share.length))),
  ),
  strategy(
    "same-lie-of-all",
    "all traitors add one polynomial of degree t: consistent among themselves, another value at 0",
    "everywhere",
    conspire((t) => t, scalar(1n << 123n)),
  ),
  strategy(
    "degree-above-t",
    "all traitors add one polynomial of degree t + 1 that is zero at 0",
    "everywhere",
    conspire((t) => t + 1, scalar(0n)),
  ),
  strategy(
    "non-scalar",
    "adds X: the opened value would be no integer",
    "everywhere",
    shares((item) => bytes(item, shifted(item.share, [0n, 1n, 0n, 0n]))),
  ),
  strategy(
    "planted-padding-bit",
    "adds 2^127: the value would leave its range",
    "everywhere",
    shares((item) => bytes(item, shifted(item.share, scalar(1n << 127n)))),
  ),
  strategy(
    "last-block-alone",
    "lies in the last block of the second session alone",
    "everywhere",
    shares((item, index) => {
      const share = Uint8Array.from(item.share)
      if (index === 1) share[share.length - 1] = (share.at(-1) ?? 0) ^ 128
      return bytes(item, share)
    }),
  ),
  strategy(
    "one-block-short",
    "leaves out the last block",
    "everywhere",
    shares((item) => bytes(item, item.share.slice(0, -64))),
  ),
  strategy(
    "one-byte-short",
    "a share that is no whole block, in an encoding by hand",
    "nowhere",
    (message) => (isSharing(message) ? [encodeMessage(message).slice(0, -1)] : [message]),
  ),
  strategy(
    "swapped-sessions",
    "each share under the other session of the same subject",
    "everywhere",
    (message, _to, _arena, { seat }) => {
      if (!isSharing(message)) return [message]
      const ids = message.shares.map(({ sessionId }) => sessionId).reverse()
      const swapped = message.shares.map((item, i) => ({ ...item, sessionId: ids[i] ?? item.sessionId }))
      return [resigned<DecryptionShares>(seat, message, { shares: swapped })]
    },
  ),
  strategy(
    "unknown-session",
    "shares of sessions that nobody approved",
    "nowhere",
    shares((item) => [
      { ...item, sessionId: parseSessionId(taggedHash("nobody's session", item.sessionId)) },
    ]),
  ),
  strategy(
    "unknown-subject",
    "shares of a subject that nobody knows",
    "nowhere",
    shares((item) => [{ ...item, subject: taggedHash("nobody's subject", item.subject) }]),
  ),
  strategy("old-epoch", "everything under the epoch after", "nowhere", (message, _to, _arena, { seat }) => [
    resigned<GossipMessage>(
      { ...seat, key: { ...seat.key, epoch: parseEpoch(2) } },
      { ...message, epoch: parseEpoch(2) } as GossipMessage,
      {},
    ),
  ]),
  strategy("equivocation", "another lie for every peer", "everywhere", (message, to, arena, traitor) =>
    shares((item, _index, peer) => bytes(item, flipped(item.share, peer % 4, 8 * (peer % 16))))(
      message,
      to,
      arena,
      traitor,
    ),
  ),
  strategy(
    "two-faces",
    "first the right share, then another one",
    "everywhere",
    (message, _to, _arena, { seat }) => {
      if (!isSharing(message)) return [message]
      const other = message.shares.map((item) => ({ ...item, share: flipped(item.share, 1, 7) }))
      return [message, resigned<DecryptionShares>(seat, message, { shares: other })]
    },
  ),
  strategy("hundredfold", "every message a hundred times", "nowhere", (message) =>
    new Array<Said>(100).fill(message),
  ),
  strategy(
    "half-bad-batch",
    "the first share of the message is right, the second one a lie",
    "everywhere",
    (message, to, arena, traitor) =>
      shares((item, index) => bytes(item, index === 1 ? flipped(item.share, 0, 64) : item.share))(
        message,
        to,
        arena,
        traitor,
      ),
  ),
  strategy("session-twice", "one session twice in a message, by hand", "nowhere", (message) => {
    if (!isSharing(message)) return [message]
    const encoded = encodeMessage(message)
    // The second item of the list becomes the first one: 39 bytes of header, the count, then items of equal length.
    const size = 68 + (message.shares[0]?.share.length ?? 0)
    const copy = Uint8Array.from(encoded)
    copy.copyWithin(41 + size, 41, 41 + size)
    return [copy]
  }),
  strategy(
    "one-by-one",
    "every share in a message of its own, the last one first",
    "nowhere",
    (message, _to, _arena, { seat }) =>
      isSharing(message)
        ? message.shares
            .toReversed()
            .map((item) => resigned<DecryptionShares>(seat, message, { shares: [item] }))
        : [message],
  ),
  {
    name: "every-second-lost",
    tries: "loses every second message to each peer",
    blamed: "nowhere",
    says(message, to) {
      const odd = (keccakBytes(utf8ToBytes(`${to}/${encodeMessage(message).at(-1)}`))[0] ?? 0) & 1
      return odd === 1 ? [] : [message]
    },
  },
  {
    name: "multiple-of-the-truth",
    tries: "a holder that answers with three times the share",
    blamed: "everywhere",
    holder: (honest) => ({
      async decryptionShares(work) {
        const made = await honest.decryptionShares(work)
        return made.map((share) => {
          const blocks = Array.from({ length: share.length / 64 }, (_, k) =>
            encode(mul(decode(share, k), scalar(3n))),
          )
          return new Uint8Array(Buffer.concat(blocks))
        })
      },
    }),
  },
]
