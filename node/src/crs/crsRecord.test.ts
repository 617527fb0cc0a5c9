import { tagHash } from "@twinlock/sdk/protocol/codec"
import fc from "fast-check"
import { beforeAll, describe, expect, test } from "vitest"
import { codeOf, rejectionCodeOf } from "../../../test/support/codeOf.ts"
import { bytesDigest } from "../ceremony/digest.ts"
import { PARTIES, partyAt, testParty } from "../ceremony/party.fixture.ts"
import { toyEngine, toyLayout } from "../ceremony/toyEngine.fixture.ts"
import { recoverSigner } from "../threshold/signatures.ts"
import { type Act, createStatementCheck, type SignedStatement, statementHash } from "./certificate.ts"
import { crsCommittee, type Updates, updatesDigest } from "./crsCommittee.ts"
import { judgeCrsFault } from "./crsFault.ts"
import { type CrsRecord, decodeCrsRecord, encodeCrsRecord, verifyCrsRecord } from "./crsRecord.ts"
import { party, toyChecks } from "./toyCrs.fixture.ts"
import { decodeTurnsMessage, encodeTurnsMessage, MAX_TURNS_MESSAGE_BYTES } from "./turnsMessages.ts"
import type { CrsFault, TurnsMessage } from "./turnsState.ts"
import { contextOf } from "./updateCheck.ts"

const seats = PARTIES.map(({ address }) => address)
const COMMITTEE = crsCommittee(seats, 1, tagHash("test/nonce"))
const engine = toyChecks(toyEngine(toyLayout(1)))
const messages = new Map<string, Uint8Array>()
const check = createStatementCheck(COMMITTEE)

async function extended(before: Updates, turn: number): Promise<Updates> {
  const last = before.at(-1)
  const previous = last && messages.get(last.message)
  const state = previous === undefined ? null : engine.crsState(previous)
  const bytes = await engine.crsUpdate(state, contextOf(COMMITTEE, turn, before), AbortSignal.any([]))
  const message = bytesDigest(bytes)
  messages.set(message, bytes)
  return [...before, { turn, message, link: engine.crsLink(bytes) }]
}

async function signed(act: Act, turn: number, updates: Updates, index: number): Promise<SignedStatement> {
  const statement = { act, turn, digest: updatesDigest(COMMITTEE.ceremony, updates) }
  const signature = await partyAt(index).sign(statementHash(COMMITTEE.ceremony, statement))
  return { ...statement, party: party(index), signature }
}

async function recordOf(updates: Updates, act: Act = "conclude", by = [1, 2, 4]): Promise<CrsRecord> {
  const statements = await Promise.all(by.map((index) => signed(act, 4, updates, index)))
  const last = messages.get(updates.at(-1)?.message ?? "")
  return {
    conclusion: {
      ...{ turn: 4, updates },
      signatures: new Map(statements.map(({ party: index, signature }) => [index, signature])),
    },
    state: engine.crsState(last ?? new Uint8Array(16)),
  }
}

let updates: Updates = []
let record: CrsRecord
beforeAll(async () => {
  updates = await extended(await extended([], 0), 2)
  record = await recordOf(updates)
})

describe("a record", () => {
  test("is read as it was written", () => {
    const bytes = encodeCrsRecord(record)
    expect(decodeCrsRecord(bytes, 4)).toEqual(record)
    expect(codeOf(() => decodeCrsRecord(bytes.slice(0, -1), 4))).toBe("CODEC_SHORT")
    expect(codeOf(() => decodeCrsRecord(Uint8Array.of(...bytes, 0), 4))).toBe("CODEC_TRAILING")
    expect(codeOf(() => decodeCrsRecord(bytes.with(7, 0), 4))).toBe("CRS_RECORD_FORM")
    expect(codeOf(() => decodeCrsRecord(bytes, 3))).toBe("BAD_PARTY_INDEX")
    const { conclusion } = record
    const reversed = new Map([...conclusion.signatures].reverse())
    expect(encodeCrsRecord({ ...record, conclusion: { ...conclusion, signatures: reversed } })).toEqual(bytes)
  })

  test("does not hold with any byte changed", async () => {
    const bytes = encodeCrsRecord(record)
    const digest = await verifyCrsRecord(COMMITTEE, record, engine)
    for (let at = 0; at < bytes.length; at++) {
      const changed = bytes.with(at, (bytes[at] ?? 0) ^ 1)
      let other: unknown
      const code = await rejectionCodeOf(async () => {
        other = await verifyCrsRecord(COMMITTEE, decodeCrsRecord(changed, 4), engine, recoverSigner)
      })
      // The toy does not check its lists; whose file is compared with the digest that it should have sees it.
      if (code === "none") expect(other).not.toBe(digest)
    }
  })

  test.each<readonly [string, () => CrsRecord | Promise<CrsRecord>, string]>([
    ["as it is", () => record, "none"],
    ["with too few signatures", () => recordOf(updates, "conclude", [1, 2]), "CRS_NOT_AGREED"],
    ["with acknowledgements", () => recordOf(updates, "acknowledge"), "CRS_NOT_AGREED"],
    [
      "of a turn that is no closing turn",
      () => ({ ...record, conclusion: { ...record.conclusion, turn: 2 } }),
      "CRS_NOT_AGREED",
    ],
    ["with one contribution", async () => recordOf(await extended([], 3)), "CRS_TOO_FEW"],
    [
      "with a link of another update",
      () => recordOf(updates.map((entry) => ({ ...entry, link: updates[0]?.link ?? entry.link }))),
      "CRS_PROOF",
    ],
  ])("%s: %s", async (_, make, code) => {
    const made = await make()
    expect(await rejectionCodeOf(() => verifyCrsRecord(COMMITTEE, made, engine))).toBe(code)
  })

  test("of another committee or ceremony does not hold", async () => {
    for (const other of [
      crsCommittee(seats, 1, tagHash("test/another")),
      crsCommittee([...seats].reverse(), 1, tagHash("test/nonce")),
      crsCommittee([...seats.slice(1), testParty("mallory").address], 1, tagHash("test/nonce")),
    ])
      expect(await rejectionCodeOf(() => verifyCrsRecord(other, record, engine))).toBe("CRS_NOT_AGREED")
  })
})

describe("messages", () => {
  const signature = fc.uint8Array({ minLength: 65, maxLength: 65 })
  const digest = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(bytesDigest)
  const turn = fc.nat(2 ** 32 - 1)
  const seat = fc.integer({ min: 1, max: 15 }).map(party)
  const list = fc.array(
    fc.record({ turn: fc.nat(14), message: digest, link: fc.uint8Array({ maxLength: 304 }) }),
    { maxLength: 15 },
  )
  const certificate = fc.record({
    ...{ turn, updates: list },
    signatures: fc
      .uniqueArray(fc.tuple(seat, signature), { selector: ([index]) => index })
      .map((pairs) => new Map(pairs.sort(([a], [b]) => a - b))),
  })
  const message: fc.Arbitrary<TurnsMessage> = fc.oneof(
    fc.record({
      kind: fc.constant("proposal" as const),
      proposal: fc.record({ turn, updates: list, parent: fc.option(certificate) }),
      signature,
    }),
    fc.record({
      kind: fc.constant("statement" as const),
      statement: fc.record({
        act: fc.constantFrom<Act>("propose", "acknowledge", "conclude"),
        ...{ turn, digest, party: seat, signature },
      }),
    }),
    fc.record({ kind: fc.constant("certificate" as const), certificate }),
    fc.record({ kind: fc.constant("conclusion" as const), conclusion: certificate }),
  )

  test("are read as they were written, and are never longer than the maximum", () => {
    fc.assert(
      fc.property(message, (said) => {
        const bytes = encodeTurnsMessage(COMMITTEE.ceremony, said)
        expect(bytes.length).toBeLessThanOrEqual(MAX_TURNS_MESSAGE_BYTES)
        expect(decodeTurnsMessage(bytes, 15)).toEqual(said)
        expect(encodeTurnsMessage(COMMITTEE.ceremony, decodeTurnsMessage(bytes, 15))).toEqual(bytes)
      }),
      { numRuns: 100 },
    )
  })

  test("of no kind, and with signatures out of order, are refused", () => {
    const bytes = encodeTurnsMessage(COMMITTEE.ceremony, {
      kind: "conclusion",
      conclusion: record.conclusion,
    })
    expect(codeOf(() => decodeTurnsMessage(bytes.with(32, 4), 4))).toBe("CODEC_RANGE")
    expect(codeOf(() => decodeTurnsMessage(bytes.slice(0, 40), 4))).toBe("CODEC_SHORT")
    const second = bytes.length - 2 * 66
    expect(codeOf(() => decodeTurnsMessage(bytes.with(second, 1), 4))).toBe("CODEC_RANGE")
  })
})

describe("evidence", () => {
  const bytesOf = (message: string): Uint8Array | undefined => messages.get(message)
  const judged = (fault: Parameters<typeof judgeCrsFault>[1], bytes = bytesOf) =>
    rejectionCodeOf(() => judgeCrsFault(COMMITTEE, fault, check, bytes, engine))

  test("of two statements names who signed both", async () => {
    const first = await signed("acknowledge", 2, updates, 2)
    const second = await signed("acknowledge", 2, updates.slice(0, 1), 2)
    const fault = { kind: "contradiction", first, second } as const
    expect(await judgeCrsFault(COMMITTEE, fault, check, bytesOf, engine)).toBe(2)
    for (const wrong of [
      first,
      await signed("acknowledge", 2, [], 3),
      await signed("acknowledge", 3, [], 2),
      await signed("conclude", 2, [], 2),
      { ...second, signature: first.signature },
      { ...second, signature: new Uint8Array(3) },
    ])
      expect(await judged({ ...fault, second: wrong })).toBe("CRS_FAULT_UNPROVEN")
    expect(await judged({ ...fault, first: { ...first, signature: second.signature } })).toBe(
      "CRS_FAULT_UNPROVEN",
    )
  })

  test("of an update that does not hold names its party", async () => {
    // Made for the third round, and named as the second update.
    const wrong = (await extended([...updates, ...updates.slice(0, 1)], 2)).slice(-1)
    const named = [...updates.slice(0, 1), ...wrong]
    const { signature } = await signed("propose", 2, named, 3)
    const fault: CrsFault = { kind: "refused-update", updates: named, signature, refusal: "CRS_PROOF" }
    expect(await judgeCrsFault(COMMITTEE, fault, check, bytesOf, engine)).toBe(3)
    expect(await judged(fault, () => undefined)).toBe("CRS_FAULT_UNPROVEN")
    expect(await judged(fault, () => new Uint8Array(48))).toBe("CRS_FAULT_UNPROVEN")
    expect(await judged({ ...fault, updates: [] })).toBe("CRS_FAULT_UNPROVEN")
    const { signature: others } = await signed("propose", 2, named, 2)
    expect(await judged({ ...fault, signature: others })).toBe("CRS_FAULT_UNPROVEN")
    const good = await signed("propose", 2, updates, 3)
    expect(await judged({ ...fault, updates, signature: good.signature })).toBe("CRS_FAULT_UNPROVEN")
  })

  test("of a link that is not the update's names its party", async () => {
    const [first, last] = updates
    if (first === undefined || last === undefined) throw new Error("no updates")
    const named = [first, { ...last, link: first.link }]
    const { signature } = await signed("propose", 2, named, 3)
    const fault: CrsFault = { kind: "refused-update", updates: named, signature, refusal: "CRS_LINK" }
    expect(await judgeCrsFault(COMMITTEE, fault, check, bytesOf, engine)).toBe(3)
  })
})
