/** The judge can say no: each sentence is brought about once. */
import { quorum } from "@twinlock/sdk/protocol/committee"
import {
  certificateFromBody,
  certificateToBody,
  resultFromBody,
  resultToBody,
} from "@twinlock/sdk/protocol/http"
import { beforeAll, expect, test } from "vitest"
import { type Arena, createArena, type Strategy } from "./arena.ts"
import { judge } from "./judge.ts"
import { sharing } from "./strategies/sharing.ts"

const SIZE = { n: 4, t: 1 }
const named = (name: string): Strategy => {
  const found = sharing.find((strategy) => strategy.name === name)
  if (found === undefined) throw new Error(`no strategy ${name}`)
  return found
}
const liar = named("lie-in-bit-0")
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
    committee: { ...committee, delivered: change },
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

test("more traitors than t open nothing that is false", async () => {
  const arena = createArena(SIZE, "random", { ...named("same-lie-of-all"), within: 3000 }, 2)
  await arena.fight()
  expect((await judge(arena, { ...liar, blamed: "perhaps" })).broken).toEqual(["no certificate came in time"])
})
