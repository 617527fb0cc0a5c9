/** The whole CRS at 2048 bits: updates in processes of their own, checks of the addon, the audit of what a transcript keeps. */
import { sha256Digest, toHex } from "@twinlock/sdk/protocol/codec"
import { type PartyIndex, parsePartyIndex } from "@twinlock/sdk/protocol/ids"
import { beforeAll, describe, expect, test } from "vitest"
import { rejectionCodeOf } from "../../../test/support/codeOf.ts"
import { holdingScheduler } from "../clock.ts"
import { type CrsContext, crsAssemble, crsAudit, crsLink, crsVerify } from "../threshold/crsCeremony.ts"
import { createUpdateProcess } from "./updateProcess.ts"

const CEREMONY_ID = new Uint8Array(32).fill(0x42)
const TRANSCRIPT = new Uint8Array(32).fill(0x17)
const PARTIES = [1, 3].map((index) => parsePartyIndex(index, 4))
const contextOf = (round: number): CrsContext => ({
  ceremonyId: CEREMONY_ID,
  round,
  party: PARTIES[round - 1] ?? 0,
})

/** After each round. */
const states: Uint8Array[] = []
const messages: Uint8Array[] = []
const links = (): readonly Uint8Array[] => messages.map(crsLink)

beforeAll(async () => {
  const update = createUpdateProcess(holdingScheduler)
  for (const round of [1, 2]) {
    const previous = states.at(-1) ?? null
    const message = await update(previous, contextOf(round), new AbortController().signal)
    messages.push(message)
    states.push(await crsVerify(previous, message, contextOf(round)))
  }
})

const flipped = (bytes: Uint8Array, at: number): Uint8Array => {
  const copy = bytes.slice()
  copy[at] = (copy[at] ?? 0) ^ 1
  return copy
}

describe("updates", () => {
  test("are 3,555,560 bytes, links 304", () => {
    expect(messages.map(({ length }) => length)).toEqual([3_555_560, 3_555_560])
    expect(links().map(({ length }) => length)).toEqual([304, 304])
  })

  const second = (change: (honest: Uint8Array) => Uint8Array, context = contextOf(2)) =>
    rejectionCodeOf(async () =>
      crsVerify(states[0] ?? null, change(messages[1] ?? new Uint8Array()), context),
    )
  const GAP = 232 + 7936 * 112

  test.each<readonly [string, (honest: Uint8Array) => Uint8Array, string]>([
    ["as it is", (honest) => honest, "none"],
    ["without its last byte", (honest) => honest.subarray(0, -1), "CRS_LENGTH"],
    ["of another version", (honest) => flipped(honest, 7), "CRS_HEADER"],
    ["of another round", () => messages[0] ?? new Uint8Array(), "CRS_CONTEXT"],
    ["of another state", (honest) => flipped(honest, 50), "CRS_PREVIOUS"],
    ["with something in the gap", (honest) => flipped(honest, GAP), "CRS_GAP"],
    ["with another response", (honest) => flipped(honest, 200), "CRS_PROOF"],
    ["with another element", (honest) => flipped(honest, 5000), "CRS_PROOF"],
  ])("%s: the addon says so", async (_, change, code) => {
    expect(await second(change)).toBe(code)
  })
})

describe("the audit", () => {
  const audited = (change: {
    readonly parties?: readonly PartyIndex[]
    readonly links?: readonly Uint8Array[]
    readonly state?: Uint8Array
    readonly ceremonyId?: Uint8Array
  }) =>
    rejectionCodeOf(() =>
      crsAudit(
        change.ceremonyId ?? CEREMONY_ID,
        change.parties ?? PARTIES,
        change.links ?? links(),
        change.state ?? states[1] ?? new Uint8Array(),
        TRANSCRIPT,
      ),
    )

  test("ends in the digest of the file that parties assemble", async () => {
    const final = states[1] ?? new Uint8Array()
    const file = await crsAssemble(final, TRANSCRIPT)
    expect(toHex(await crsAudit(CEREMONY_ID, PARTIES, links(), final, TRANSCRIPT))).toBe(sha256Digest(file))
    const other = await crsAudit(CEREMONY_ID, PARTIES, links(), final, new Uint8Array(32))
    expect(toHex(other)).not.toBe(sha256Digest(file))
  })

  test("refuses by name", async () => {
    const [first = new Uint8Array(), last = new Uint8Array()] = links()
    expect(await audited({})).toBe("none")
    expect(await audited({ parties: [...PARTIES].reverse() })).toBe("CRS_CONTEXT")
    expect(await audited({ parties: PARTIES.slice(0, 1) })).toBe("CRS_LENGTH")
    expect(await audited({ parties: PARTIES.slice(0, 1), links: [first] })).toBe("CRS_PREVIOUS")
    expect(await audited({ links: [first, first] })).toBe("CRS_CONTEXT")
    expect(await audited({ links: [first, flipped(last, 270)] })).toBe("CRS_PROOF")
    expect(await audited({ links: [first, last.subarray(1)] })).toBe("CRS_LENGTH")
    expect(await audited({ state: states[0] ?? new Uint8Array() })).toBe("CRS_PREVIOUS")
    expect(await audited({ ceremonyId: new Uint8Array(32) })).toBe("CRS_PROOF")
  })
})
