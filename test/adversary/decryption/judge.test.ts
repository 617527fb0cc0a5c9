/** The judge can say no: each sentence is brought about once. */
import { type AcceptancePolicy, STANDING_POLICY } from "@twinlock/sdk/protocol/certificate"
import { taggedHash } from "@twinlock/sdk/protocol/codec"
import { quorum } from "@twinlock/sdk/protocol/committee"
import {
  certificateFromBody,
  certificateToBody,
  resultFromBody,
  resultToBody,
  type SubmissionBody,
} from "@twinlock/sdk/protocol/http"
import { beforeAll, describe, expect, test } from "vitest"
import type { CommitteeOptions } from "../../support/decryptionNetwork.ts"
import { enclaveOf } from "../../support/testEnclaves.ts"
import { type Arena, createArena, type Strategy } from "./arena.ts"
import { judge } from "./judge.ts"
import { endorsing } from "./strategies/endorsing.ts"
import { quoting } from "./strategies/quoting.ts"
import { sharing } from "./strategies/sharing.ts"
import { timing } from "./strategies/timing.ts"

const SIZE = { n: 4, t: 1 }
const named = (name: string, strategies: readonly Strategy[] = sharing): Strategy => {
  const found = strategies.find((strategy) => strategy.name === name)
  if (found === undefined) throw new Error(`no strategy ${name}`)
  return found
}
const liar = named("lie-in-bit-0")
const quiet: Strategy = { ...liar, blamed: "nowhere" }
async function foughtBy([name, strategies]: readonly [string, readonly Strategy[]]): Promise<Arena> {
  const arena = createArena(SIZE, "random", named(name, strategies))
  await arena.fight()
  return arena
}

/** The arena with what it delivered changed. */
const withBodies = (arena: Arena, change: (body: SubmissionBody) => SubmissionBody): Arena => ({
  ...arena,
  committee: { ...arena.committee, submitted: arena.committee.submitted.map(change) },
})

let fought: Arena
beforeAll(async () => {
  fought = createArena(SIZE, "random", liar)
  await fought.fight()
})

const brokenOf = async (change: Partial<Arena>, strategy: Strategy = liar) =>
  (await judge({ ...fought, ...change }, strategy)).broken

test("an honest fight breaks nothing", async () => {
  expect(await brokenOf({})).toEqual([])
})

test("liars that are not named, or should not be", async () => {
  expect(await brokenOf({}, { ...liar, blamed: "nowhere" })).toHaveLength(1)
  const silent = createArena(SIZE, "random", named("silent"))
  await silent.fight()
  expect((await judge(silent, liar)).broken).toHaveLength(1)
})

test("an honest party that is named", async () => {
  const [traitor] = fought.traitors
  if (traitor === undefined) throw new Error("no traitor")
  const broken = await brokenOf({ traitors: [] }, { ...liar, blamed: "perhaps" })
  expect(broken).toContain(`party ${fought.honest[0]} blames the honest party ${traitor}`)
})

test("a share that leaves before the approvals", async () => {
  const shares = fought.spoken.filter(({ message }) => message.kind === "decryption-shares")
  expect(await brokenOf({ spoken: shares })).toHaveLength(1)
  const approvals = fought.spoken.filter(({ message }) => message.kind === "approval")
  const enough = quorum(SIZE) - SIZE.t
  expect(await brokenOf({ spoken: [...approvals.slice(0, enough), ...shares] })).toEqual([])
})

test("one nonce in the answers to two lists", async () => {
  const answer = fought.spoken.find(({ message }) => message.kind === "signature-share")
  if (answer?.message.kind !== "signature-share") throw new Error("nobody answered")
  const list = fought.lists.get(answer.message.request)
  if (list === undefined) throw new Error("an answer to no list")
  const again = { ...answer.message, request: fought.ciphertexts[0]?.session as never }
  const broken = await brokenOf({
    lists: new Map([...fought.lists, [again.request, list]]),
    spoken: [...fought.spoken, { ...answer, message: again }],
  })
  expect(broken).toEqual([`party ${answer.from} used a nonce twice`])
})

test("no certificate, a wrong plaintext, a wrong signature", async () => {
  const { committee } = fought
  const [first] = committee.delivered
  if (first === undefined) throw new Error("nothing was delivered")
  const delivered = (change: typeof committee.delivered) => ({
    committee: { ...committee, submitted: change },
  })
  expect(await brokenOf(delivered([]))).toEqual(["no certificate came in time"])
  const result = resultFromBody(first.result)
  result.plaintexts[31] = 0
  expect(await brokenOf(delivered([{ ...first, result: resultToBody(result) }]))).toEqual([
    "a wrong plaintext was certified",
    "a certificate does not verify",
  ])
  const certificate = certificateFromBody(first.certificate)
  const fewer = certificateToBody({ ...certificate, signers: 3n })
  expect(await brokenOf(delivered([{ ...first, certificate: fewer }]))).toEqual([
    "a certificate does not verify",
    "fewer signers than a quorum",
  ])
})

test("rules that the requester does not take, or that are not kept", async () => {
  const demands = (policy: Partial<AcceptancePolicy>) => ({ policy: { ...STANDING_POLICY, ...policy } })
  expect(await brokenOf(demands({ freshQuotes: 1 }))).toEqual(["a certificate without what is demanded"])

  const endorsed = await foughtBy(["keeps-its-endorsement-for-frost", endorsing])
  expect((await judge({ ...endorsed, ...demands({ groupOnly: true }) }, quiet)).broken).toContain(
    "endorsements stand in for the group",
  )
  const strange = withBodies(endorsed, (body) =>
    body.kind === "endorsed"
      ? {
          ...body,
          certificate: { ...body.certificate, signatures: body.certificate.signatures.toReversed() },
        }
      : body,
  )
  expect((await judge(strange, quiet)).broken).toEqual(["a certificate does not verify"])

  const quoted = await foughtBy(["made-up-quote", quoting])
  expect((await judge({ ...quoted, ...demands({ freshQuotes: 2 }) }, quiet)).broken).toEqual([
    "a certificate with less than is demanded",
  ])
  const [party = 0] = quoted.traitors
  const forged = withBodies(quoted, (body) =>
    body.kind === "policy"
      ? {
          ...body,
          evidence: { ...body.evidence, quotes: body.evidence.quotes.map((quote) => ({ ...quote, party })) },
        }
      : body,
  )
  expect((await judge(forged, quiet)).broken).toEqual(["a certificate does not verify"])
})

test("lists that are answered without bound", async () => {
  const answer = fought.spoken.find(({ message }) => message.kind === "signature-share")
  const [traitor] = fought.traitors
  if (answer?.message.kind !== "signature-share" || traitor === undefined) throw new Error("nobody answered")
  const list = fought.lists.get(answer.message.request)
  if (list === undefined) throw new Error("an answer to no list")
  const { message } = answer
  const names = Array.from({ length: 17 }, (_, i) => taggedHash("list", i))
  const lists = new Map(names.map((name) => [name, { ...list, party: traitor, signers: [] }]))
  const spoken = names.map((request) => ({ ...answer, message: { ...message, request } }))
  expect(await brokenOf({ lists, spoken: spoken.slice(1) })).toEqual([])
  expect(await brokenOf({ lists, spoken })).toHaveLength(1)
})

test("strategies that do nothing, or bring nothing about", async () => {
  expect(await brokenOf({ placement: "worst", deeds: 0 })).toEqual(["the traitors did nothing"])
  expect(await brokenOf({ placement: "worst" }, { ...liar, bites: () => false })).toEqual([
    "the strategy came to nothing",
  ])
})

test("more traitors than t open nothing that is false", async () => {
  const arena = createArena(SIZE, "random", { ...named("same-lie-of-all"), within: 3000 }, { count: 2 })
  await arena.fight()
  expect((await judge(arena, { ...liar, blamed: "perhaps" })).broken).toEqual(["no certificate came in time"])
})

describe("honest nodes with a weakness", () => {
  const brokenBy = async (strategy: Strategy, weakness: Partial<CommitteeOptions>) => {
    const arena = createArena(SIZE, "worst", strategy, { weakness })
    await arena.fight()
    return (await judge(arena, strategy)).broken
  }

  test("who believe every quote", async () => {
    const quotes = (party: number) => ({ ...enclaveOf(party), holds: async () => true })
    const { bites: _, ...strategy } = named("made-up-quote-before-the-certificate", quoting)
    expect(await brokenBy(strategy, { quotes })).toContain("a certificate does not verify")
  })

  test("who answer every list", async () => {
    // Who waits that long for the first rank is asked often.
    const options = { takeoverMs: 3000 }
    expect(await brokenBy(named("list-flood", timing), { options })).toEqual([])
    const broken = await brokenBy(named("list-flood", timing), { options: { ...options, maxServed: 1000 } })
    expect(broken.some((sentence) => sentence.includes("answered more than"))).toBe(true)
  })

  test("who endorse before FROST had its time", async () => {
    const strategy = named("endorses-too-early", endorsing)
    expect(await brokenBy(strategy, { options: { fallbackMs: 0 } })).toContain("the strategy came to nothing")
  })
})
