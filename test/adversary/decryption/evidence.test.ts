/** What evidence proves to whoever has public data alone: each lie that a message shows, and nothing of what honest parties say. */
import { encodeMessage } from "@twinlock/sdk/protocol/messageEncoding"
import { requestSubject } from "@twinlock/sdk/protocol/subjects"
import {
  faultEvidenceFromBody,
  faultEvidenceToBody,
  provenFault,
} from "@twinlock/sdk/threshold/faultEvidence"
import { describe, expect, test } from "vitest"
import { type Arena, createArena } from "./arena.ts"
import { evidenceIn, provenIn, publicDataOf } from "./judge.ts"
import { STRATEGIES } from "./strategies/all.ts"

async function foughtBy(name: string): Promise<Arena> {
  const strategy = STRATEGIES.find((candidate) => candidate.name === name)
  if (strategy === undefined) throw new Error(`no strategy ${name}`)
  const arena = createArena({ n: 4, t: 1 }, "worst", strategy)
  await arena.fight()
  return arena
}
describe("messages that prove a lie", () => {
  test.each([
    ["wrong-signature-share", "signature-share"],
    ["signature-share-above-n", "signature-share"],
    ["two-approvals", "two-approvals"],
    ["two-faces", "two-shares"],
    ["bad-certificate", "certificate"],
    ["bad-endorsement-for-frost", "endorsement"],
    ["wrong-root", "root"],
  ])("%s", async (name, fault) => {
    const arena = await foughtBy(name)
    expect(provenIn(arena).map((found) => found.fault)).toContain(fault)
    for (const { party } of provenIn(arena)) expect(arena.traitors).toContain(party)
  })

  test("a wrong share of a ciphertext is kept, but proves nothing by itself", async () => {
    const arena = await foughtBy("lie-in-bit-0")
    expect(evidenceIn(arena).length).toBeGreaterThan(0)
    expect(provenIn(arena).every(({ fault }) => fault === null)).toBe(true)
  })

  test("it travels as JSON, and one changed byte of it is refused", async () => {
    const arena = await foughtBy("wrong-signature-share")
    const [evidence] = evidenceIn(arena)
    if (evidence === undefined) throw new Error("no evidence")
    const { committee } = arena.committee
    const body = JSON.parse(JSON.stringify(faultEvidenceToBody(evidence)))
    expect(faultEvidenceFromBody(body, committee)).toEqual(evidence)
    for (const [i, message] of evidence.messages.entries())
      for (let at = 0; at < message.length; at++) {
        const bytes = Uint8Array.from(message)
        bytes[at] = (bytes[at] ?? 0) ^ 1
        const messages = evidence.messages.with(i, bytes)
        expect(() => provenFault({ ...evidence, messages }, publicDataOf(arena))).toThrow()
      }
  })

  test("against another party, or without the list that was answered, it proves nothing", async () => {
    const arena = await foughtBy("wrong-signature-share")
    const [evidence] = evidenceIn(arena)
    if (evidence === undefined) throw new Error("no evidence")
    const others = arena.honest.map((party) => provenFault({ ...evidence, party }, publicDataOf(arena)))
    expect(others).toEqual([null, null, null])
    const messages = evidence.messages.slice(1)
    expect(provenFault({ ...evidence, messages }, publicDataOf(arena))).toBe(null)
  })
})

test.each([
  "nonce-exhaustion",
  "keeps-its-endorsement-on-demand",
  "keeps-its-quote",
  "endorses-to-one-for-frost",
])("all that honest parties say in a fight against %s proves nothing against any of them", async (name) => {
  const arena = await foughtBy(name)
  const messages = [...arena.spoken.map(({ message }) => message), ...arena.lists.values()]
  const encoded = messages.map(encodeMessage)
  for (const party of arena.honest)
    expect(
      provenFault(
        { party, subject: requestSubject(arena.requestId), messages: encoded },
        publicDataOf(arena),
      ),
    ).toBe(null)
})
