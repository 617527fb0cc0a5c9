/** Lies below and beside the protocol's messages (protocol §2, §7). */
import { topicOf } from "@twinlock/node/decryption/seat"
import { partyIndexes } from "@twinlock/sdk/protocol/committee"
import { encodeMessage } from "@twinlock/sdk/protocol/messageEncoding"
import { type GossipMessage, MAX_MESSAGE_BYTES, type MessageKind } from "@twinlock/sdk/protocol/messages"
import { seededRng } from "../../../support/seededRng.ts"
import { endStanding, resigned, type Strategy } from "../arena.ts"

const KINDS = Object.keys(MAX_MESSAGE_BYTES) as MessageKind[]

export const transport: readonly Strategy[] = [
  {
    name: "garbage",
    tries: "random bytes on every topic in every step",
    blamed: "nowhere",
    async acts({ seat, publishRaw }, _arena, step) {
      for (const kind of KINDS) {
        const rng = seededRng(`garbage/${seat.self}/${step}/${kind}`)
        await publishRaw(topicOf(kind, seat), rng(1 + (step % 700)))
      }
    },
  },
  {
    name: "oversize",
    tries: "one byte more than a kind may have, on every topic",
    blamed: "nowhere",
    async acts({ seat, publishRaw }, _arena, step) {
      if (step > 10) return
      for (const kind of KINDS)
        await publishRaw(topicOf(kind, seat), new Uint8Array(MAX_MESSAGE_BYTES[kind] + 1).fill(2))
    },
  },
  {
    name: "truncated",
    tries: "cuts every message at another place for every peer",
    blamed: "nowhere",
    says(message, to) {
      const bytes = encodeMessage(message)
      return [bytes.slice(0, bytes.length - to)]
    },
  },
  {
    name: "flipped-signature",
    tries: "a bit of every signature",
    blamed: "nowhere",
    says(message) {
      const bytes = encodeMessage(message)
      bytes[bytes.length - 20] = (bytes.at(-20) ?? 0) ^ 1
      return [bytes]
    },
  },
  {
    name: "impersonation",
    tries: "says everything in the name of an honest party",
    blamed: "nowhere",
    says(message, _to, { honest }, { seat }) {
      const victim = honest[0] ?? seat.self
      return [message, resigned<GossipMessage>({ ...seat, self: victim }, { ...message, party: victim }, {})]
    },
  },
  {
    name: "wrong-topic",
    tries: "every message on the topic of another kind",
    blamed: "nowhere",
    async acts({ seat, publishRaw }, { spoken }) {
      for (const { message } of spoken.slice(-5))
        for (const kind of KINDS)
          if (kind !== message.kind) await publishRaw(topicOf(kind, seat), encodeMessage(message))
    },
  },
  {
    name: "replay",
    tries: "says all that honest parties said again, in every step",
    blamed: "nowhere",
    async acts({ seat, publishRaw }, { spoken }) {
      for (const { message } of spoken) await publishRaw(topicOf(message.kind, seat), encodeMessage(message))
    },
  },
  {
    name: "bit-flips",
    tries: "says what honest parties said with one bit changed",
    blamed: "nowhere",
    async acts({ seat, publishRaw }, { spoken }, step) {
      for (const [i, { message }] of spoken.entries()) {
        const bytes = encodeMessage(message)
        const bit = (step * 7919 + i * 104_729) % (8 * bytes.length)
        bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        await publishRaw(topicOf(message.kind, seat), bytes)
      }
    },
  },
  {
    name: "expired-traitors",
    tries: "takes part with seats whose standing is over",
    blamed: "nowhere",
    prepares: (arena) => endStanding(arena, arena.traitors, "expired"),
  },
  {
    name: "revoked-traitors",
    tries: "takes part with seats that were revoked",
    blamed: "nowhere",
    prepares: (arena) => endStanding(arena, arena.traitors, "revoked"),
  },
  {
    name: "speaks-to-one",
    tries: "speaks to one honest party alone",
    blamed: "nowhere",
    says: (message, to, { size, traitors }) =>
      to === partyIndexes(size).find((party) => !traitors.includes(party)) ? [message] : [],
  },
]
