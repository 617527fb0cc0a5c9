import { signHeader } from "@twinlock/node/ceremony/header"
import { decodeEcho, type Expectation, encodeEcho, signEcho } from "@twinlock/node/ceremony/messages"
import {
  attemptOfParty,
  COMMITTEE,
  PARTIES,
  party,
  partyAt,
  type Tamper,
} from "@twinlock/node/ceremony/party.fixture"
import { CEREMONY_PROTOCOLS } from "@twinlock/node/ceremony/router"
import { createWorld } from "@twinlock/node/ceremony/world.fixture"
import { concatBytes } from "@twinlock/sdk/protocol/codec"
import { partyIndexes } from "@twinlock/sdk/protocol/committee"
import { describe, expect, test } from "vitest"
import { runToAbort } from "./outcome.ts"
import { flip, type Rule, readParts, tamperWhere, withBroadcast, withSealedHashes } from "./tampering.ts"

type Change = (payload: Uint8Array) => readonly Uint8Array[] | Promise<readonly Uint8Array[]>
type Case = {
  readonly name: string
  readonly rule: Rule
  readonly change: Change
  /** What each honest party may say about party `rule.from`. */
  readonly code: string
}

const SECOND = 2
const INPUTS = 4
const PUBLIC_KEY = 9
const everyone = partyIndexes(COMMITTEE)
const ROUNDS_BEFORE_SIGNATURES = 20
const sign = partyAt(4).sign
const toBob = { from: 4, to: 2 } as const

const CASES: readonly Case[] = [
  {
    name: "says nothing",
    rule: { ...toBob, round: SECOND },
    change: () => [],
    code: "CEREMONY_NO_MESSAGE",
  },
  {
    name: "echoes nothing",
    rule: { ...toBob, protocol: "echo" },
    change: () => [],
    code: "CEREMONY_NO_ECHO",
  },
  {
    name: "sends an empty message",
    rule: { ...toBob, round: SECOND },
    change: () => [new Uint8Array()],
    code: "CEREMONY_NO_MESSAGE",
  },
  {
    name: "sends half a message",
    rule: { ...toBob, round: SECOND },
    change: (payload) => [payload.slice(0, payload.length >> 1)],
    code: "CEREMONY_GARBLED",
  },
  {
    name: "sends a byte too many",
    rule: { ...toBob, round: SECOND },
    change: (payload) => [concatBytes(payload, Uint8Array.of(0))],
    code: "CEREMONY_GARBLED",
  },
  {
    name: "sends another broadcast than it signed",
    rule: { ...toBob, round: SECOND },
    change: (payload) => [flip(payload, -2)],
    code: "CEREMONY_GARBLED",
  },
  {
    name: "sends another sealed part than it signed",
    rule: { ...toBob, round: INPUTS },
    change: (payload) => [flip(payload, -1)],
    code: "CEREMONY_GARBLED",
  },
  {
    name: "signs with another key",
    rule: { ...toBob, round: SECOND },
    change: async (payload) => {
      const parts = readParts(payload)
      return [await withBroadcast(parts, parts.broadcast, partyAt(1).sign)]
    },
    code: "CEREMONY_BAD_SIGNATURE",
  },
  {
    name: "changes a header without signing it",
    rule: { ...toBob, round: SECOND },
    change: (payload) => [flip(payload, 50)],
    code: "CEREMONY_BAD_SIGNATURE",
  },
  {
    name: "broadcasts more than the round allows",
    rule: { ...toBob, round: PUBLIC_KEY },
    change: async (payload) => [await withBroadcast(readParts(payload), new Uint8Array(65), sign)],
    code: "CEREMONY_GARBLED",
  },
  {
    name: "lists too few sealed parts",
    rule: { ...toBob, round: SECOND },
    change: async (payload) => {
      const parts = readParts(payload)
      return [await withSealedHashes(parts, parts.header.header.sealedHashes.slice(1), null, sign)]
    },
    code: "CEREMONY_GARBLED",
  },
  {
    name: "garbles an echo",
    rule: { ...toBob, protocol: "echo" },
    change: (payload) => [payload.slice(0, -1)],
    code: "CEREMONY_GARBLED",
  },
  {
    name: "changes an echo without signing it",
    rule: { ...toBob, protocol: "echo" },
    change: (payload) => [flip(payload, -3)],
    code: "CEREMONY_BAD_SIGNATURE",
  },
  {
    name: "puts a made-up header of somebody else into its echo",
    rule: { ...toBob, protocol: "echo" },
    change: (payload) => [flip(payload, 120)],
    code: "CEREMONY_BAD_SIGNATURE",
  },
]

describe("a party whose message to one other party is wrong", () => {
  test.each(CASES)("$name", async ({ rule, change, code }) => {
    const world = createWorld({ tamper: tamperWhere(rule, change) })
    const causes = await runToAbort(world)
    expect(causes[1]).toMatchObject({ code, culprits: [4] })
    for (const cause of [causes[0], causes[2]])
      expect(cause).toMatchObject({ code: "CEREMONY_PEER_ABORTED", check: code, claimed: [4] })
  })
})

describe("a party that sends what is not its own", () => {
  test("a message of another party over its own channel", async () => {
    let stolen: Uint8Array | null = null
    const tamper: Tamper = async (from, to, protocol, payload) => {
      const { id } = CEREMONY_PROTOCOLS.message
      if (protocol === id && from === partyAt(1).address && to === partyAt(3).address) stolen ??= payload
      const steals = protocol === id && from === partyAt(3).address && to === partyAt(2).address
      return steals && stolen !== null ? [stolen] : [payload]
    }
    const causes = await runToAbort(createWorld({ tamper }))
    expect(causes[1]).toMatchObject({ code: "CEREMONY_FOREIGN", culprits: [3] })
  })

  test("a forged header in a properly signed echo: its sender is named, not the party it frames", async () => {
    const tamper = tamperWhere({ from: 4, to: 2, protocol: "echo" }, async (payload) => {
      const expected: Expectation = {
        attempt: attemptOfParty(2),
        from: party(4),
        verifyHeader: () => {},
        limitsOf: () => ({ speakers: everyone, maxBroadcast: 0, maxSealed: 0 }),
      }
      const { round, headers } = decodeEcho(payload, expected)
      const forged = await Promise.all(
        headers.map((signed) =>
          signed.header.party === 3
            ? signHeader({ ...signed.header, broadcastBytes: 7 }, partyAt(4).sign)
            : signed,
        ),
      )
      return [
        encodeEcho(attemptOfParty(4), await signEcho(attemptOfParty(4), round, forged, partyAt(4).sign)),
      ]
    })
    const causes = await runToAbort(createWorld({ tamper }))
    expect(causes[1]).toMatchObject({ code: "CEREMONY_BAD_SIGNATURE", culprits: [4] })
  })

  test("a message in a round where it does not speak", async () => {
    const CRS_1 = PUBLIC_KEY + 1
    const tamper = tamperWhere({ from: 4, to: 2, round: CRS_1 - 1 }, async (payload) => {
      const parts = readParts(payload)
      const header = { ...parts.header, header: { ...parts.header.header, round: CRS_1 } }
      return [payload, await withBroadcast({ ...parts, header }, parts.broadcast, sign)]
    })
    const causes = await runToAbort(createWorld({ tamper }))
    expect(causes[1]).toMatchObject({ code: "CEREMONY_FOREIGN", culprits: [4] })
  })

  test("a message of a round that is far ahead", async () => {
    const tamper = tamperWhere({ from: 4, to: 2, round: 1 }, async (payload) => {
      const parts = readParts(payload)
      const header = { ...parts.header, header: { ...parts.header.header, round: 7 } }
      return [payload, await withBroadcast({ ...parts, header }, parts.broadcast, sign)]
    })
    const causes = await runToAbort(createWorld({ tamper }))
    expect(causes[1]).toMatchObject({ code: "CEREMONY_OUT_OF_ORDER", culprits: [4] })
  })

  test("a message of a round that does not exist", async () => {
    const tamper = tamperWhere({ from: 4, to: 2, round: 1 }, async (payload) => {
      const parts = readParts(payload)
      const header = { ...parts.header, header: { ...parts.header.header, round: 500 } }
      return [payload, await withBroadcast({ ...parts, header }, parts.broadcast, sign)]
    })
    const causes = await runToAbort(createWorld({ tamper }))
    expect(causes[1]).toMatchObject({ code: "CEREMONY_OUT_OF_ORDER", culprits: [4] })
  })
})

describe("what the network may do to honest parties", () => {
  const finishes = async (tamper: Tamper): Promise<void> => {
    const world = createWorld({ tamper })
    const ends = await world.run()
    expect(ends.map(({ status }) => status)).toEqual(ends.map(() => "finished"))
    // The chain may finish a party before its last echo arrives.
    const common = Math.min(...ends.map(({ records }) => records.length))
    expect(common).toBeGreaterThan(ROUNDS_BEFORE_SIGNATURES)
    const digests = ends.map(({ records }) => records.slice(0, common).map(({ digest }) => digest))
    expect(new Set(digests.map((list) => list.join())).size).toBe(1)
  }

  test("every message twice", () => finishes((_from, _to, _protocol, payload) => [payload, payload]))

  test("messages of earlier rounds again, after each later one", () => {
    const earlier = new Map<string, Uint8Array[]>()
    return finishes((from, to, protocol, payload) => {
      const link = `${from}/${to}/${protocol}`
      const before = earlier.get(link) ?? []
      earlier.set(link, [payload, ...before].slice(0, 3))
      return protocol === CEREMONY_PROTOCOLS.message.id ? [payload, ...before] : [payload]
    })
  })

  test("signed messages of another attempt in between", () =>
    finishes(async (from, _to, protocol, payload) => {
      if (protocol !== CEREMONY_PROTOCOLS.message.id) return [payload]
      const parts = readParts(payload)
      const header = { ...parts.header, header: { ...parts.header.header, attempt: 2 } }
      const sender = PARTIES.find(({ address }) => address === from) ?? partyAt(1)
      return [await withBroadcast({ ...parts, header }, parts.broadcast, sender.sign), payload]
    }))

  test("delays that stay below the round's time", () => {
    let count = 0
    return finishes(async (_from, _to, _protocol, payload) => {
      for (let turn = 0; turn < (count++ * 7) % 23; turn++)
        await new Promise((resolve) => setImmediate(resolve))
      return [payload]
    })
  })
})
