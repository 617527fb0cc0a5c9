/**
 * What dishonest parties can do to one kind of message: each fault as a pair of hands between an honest node and the
 * network. The hands hold the party's own seat key, nothing else.
 */
import type { Attempt } from "@twinlock/node/ceremony/attempt"
import { readSignedHeader, type SignedHeader, sealedHashOf, signHeader } from "@twinlock/node/ceremony/header"
import { encodeEcho, encodeRoundMessage, signEcho } from "@twinlock/node/ceremony/messages"
import type { Tamper, TestParty } from "@twinlock/node/ceremony/party.fixture"
import { CEREMONY_PROTOCOLS } from "@twinlock/node/ceremony/router"
import type { World } from "@twinlock/node/ceremony/world.fixture"
import { Reader } from "@twinlock/sdk/protocol/codec"
import { MAX_PARTIES } from "@twinlock/sdk/protocol/committee"
import type { Address } from "@twinlock/sdk/protocol/ids"
import { flip, readParts } from "./tampering.ts"

export const FAULTS = [
  "dropped",
  "withheld from one party",
  "delayed",
  "corrupted",
  "replayed",
  "equivocated",
] as const
export type Fault = (typeof FAULTS)[number]

/** `round` of a message or an echo; the number of a chunk, for contributions to it. */
export type Target = { readonly kind: "message" | "echo" | "chunk"; readonly round: number }

/** Later than every time-out of a ceremony. */
const LATE_MS = 7_200_000

/** version ‖ key id ‖ attempt, then the round of an echo or the number of a chunk. */
const FRAME_BYTES = 1 + 32 + 4

function roundOf(kind: Target["kind"], payload: Uint8Array): number {
  const view = new DataView(payload.buffer, payload.byteOffset)
  switch (kind) {
    case "message":
      return readParts(payload).header.header.round
    case "echo":
      return view.getUint16(FRAME_BYTES)
    case "chunk":
      return view.getUint32(FRAME_BYTES)
  }
}

/** The same header with another claim about what is sealed to party `third`. */
const secondFace = ({ header }: SignedHeader, third: number, { sign }: TestParty): Promise<SignedHeader> =>
  signHeader(
    {
      ...header,
      sealedHashes: header.sealedHashes.map((hash, at) =>
        at === third - 1 ? sealedHashOf(Uint8Array.of(header.round)) : hash,
      ),
    },
    sign,
  )

export type Hands = {
  readonly culprits: readonly TestParty[]
  readonly target: Target
  readonly fault: Fault
  /** The attempt as the culprits see it. */
  readonly attempt: Attempt
  /** Whose time it is; asked only while the ceremony runs. */
  readonly world: () => World
}

/** Everything of the culprits but the target passes. */
export function faultyHands({ culprits, target, fault, attempt, world }: Hands): Tamper {
  const { kind, round } = target
  const before = new Map<string, Uint8Array>()
  const victim = attempt.committee.parties.find((seat) => culprits.every(({ address }) => address !== seat))
  const seat = (address: Address): number => attempt.committee.parties.indexOf(address) + 1

  /** Another header for the round, which some of the others get to see. */
  async function twoFaced(
    culprit: TestParty,
    to: Address,
    payload: Uint8Array,
  ): Promise<readonly Uint8Array[]> {
    const own = seat(culprit.address)
    const victim = (own % attempt.committee.n) + 1
    const third = (victim % attempt.committee.n) + 1
    if (kind === "message") {
      if (seat(to) !== victim) return [payload]
      const { header, broadcast, sealed } = readParts(payload)
      return [encodeRoundMessage(await secondFace(header, third, culprit), broadcast, sealed)]
    }
    // A contribution has one recipient: its other face is what the contributor lists for everybody.
    if (kind === "chunk") return [flip(payload, -1)]
    const reader = new Reader(payload)
    reader.take(FRAME_BYTES + 2 + 1)
    const headers = reader.list(MAX_PARTIES, (inner) => readSignedHeader(inner, MAX_PARTIES))
    const changed = await Promise.all(
      headers.map((signed) =>
        signed.header.party === own ? secondFace(signed, third, culprit) : Promise.resolve(signed),
      ),
    )
    const self = { ...attempt, self: own as Attempt["self"] }
    return [encodeEcho(self, await signEcho(self, round, changed, culprit.sign))]
  }

  return async (from, to, protocol, payload) => {
    const culprit = culprits.find(({ address }) => address === from)
    if (culprit === undefined || protocol !== CEREMONY_PROTOCOLS[kind].id) return [payload]
    if (roundOf(kind, payload) !== round) {
      if (roundOf(kind, payload) < round) before.set(`${from}${to}`, payload.slice())
      return [payload]
    }
    switch (fault) {
      case "dropped":
        return []
      case "withheld from one party":
        return to === victim || kind === "chunk" ? [] : [payload]
      case "delayed":
        await new Promise<void>((resolve) => void world().clock.after(LATE_MS, resolve))
        return [payload]
      case "corrupted":
        return [flip(payload, -20)]
      case "replayed":
        return before.has(`${from}${to}`) ? [before.get(`${from}${to}`) ?? payload] : []
      case "equivocated":
        return twoFaced(culprit, to, payload)
    }
  }
}
