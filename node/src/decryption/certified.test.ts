/** What nodes keep and say of requests that are certified and that the chain has not settled yet, however many these are. */
import { decodeMessage } from "@twinlock/sdk/protocol/messageEncoding"
import type { MessageKind } from "@twinlock/sdk/protocol/messages"
import { expect, test } from "vitest"
import {
  type CommitteeOptions,
  countOf,
  createTestCommittee,
} from "../../../test/support/decryptionNetwork.ts"
import { deliveredResults } from "../../../test/support/deliveredResults.ts"
import {
  addCiphertext,
  addRequest,
  blockAt,
  createScriptedChain,
} from "../../../test/support/scriptedChain.ts"
import { nativeKernel } from "../threshold/opening.ts"
import { recoverSigner } from "../threshold/signatures.ts"

/** Opened subjects that are kept in full here. */
const IN_FULL = 16

function scene(count: number, options: Partial<CommitteeOptions> = {}) {
  const chain = createScriptedChain()
  const ciphertext = addCiphertext(chain, "yes", 1n, 0)
  const requests = Array.from({ length: count }, (_, i) =>
    addRequest(chain, `request ${i}`, [ciphertext.handle]),
  )
  const said = new Map<MessageKind, number>()
  const committee = createTestCommittee({
    ...{ n: 4, t: 1, chain, ciphertexts: [ciphertext] },
    ...{ recover: recoverSigner, openingKernel: nativeKernel, options: { openedInFull: IN_FULL } },
    gossip: (_from, _to, _topic, payload) => {
      const { kind } = decodeMessage(payload)
      said.set(kind, (said.get(kind) ?? 0) + 1)
      return [payload]
    },
    ...options,
  })
  const done = () =>
    new Set(committee.submitted.flatMap(deliveredResults).map(({ result }) => result.requestId)).size
  return {
    ...{ chain, committee, requests, said, ciphertext },
    finish: (ms: number) => committee.run(ms, () => done() === count),
    /** Approvals and shares that reached anybody meanwhile. */
    async during(ms: number, stepMs: number) {
      said.clear()
      await committee.run(ms, undefined, stepMs)
      return (said.get("approval") ?? 0) + (said.get("decryption-shares") ?? 0)
    },
    done,
  }
}

test("of many that are certified few are kept in full, nothing is said again, and what the chain settles is forgotten", async () => {
  const { chain, committee, requests, finish, during, done } = scene(64)
  await finish(120_000)
  expect(done()).toBe(requests.length)
  await committee.run(4000, undefined, 500)
  for (const { service } of committee.nodes) {
    const { subjects, stubs } = service.kept()
    expect(subjects).toBe(IN_FULL)
    expect(stubs).toBe(requests.length - IN_FULL)
  }
  // Honest work is far from any budget.
  for (const node of committee.nodes)
    for (let party = 0; party <= 4; party++)
      expect(await countOf(node, "gossip_over_budget_total", `{party="${party}"}`)).toBe(0)
  expect(await during(60_000, 2000)).toBe(0)
  for (const id of requests) {
    const request = chain.requests.get(id)
    if (request !== undefined) chain.requests.set(id, { ...request, status: "fulfilled" })
  }
  chain.head = blockAt(101n, chain.head.timestamp + 1n)
  await committee.run(3000)
  const nothing = { requests: 0, subjects: 0, stubs: 0, results: 0, groups: 0, aggregations: 0 }
  for (const { service } of committee.nodes) expect(service.kept()).toMatchObject(nothing)
}, 120_000)

test("what is set aside while the chain settles nothing is delivered anew after its rest", async () => {
  const options = { openedInFull: 4, openedKept: 8, restMs: 30_000, deliveryMs: 1000 }
  const { chain, committee, requests, finish, done } = scene(24, { options })
  await finish(20_000)
  const before = committee.submitted.length
  await committee.run(2000, undefined, 500)
  for (const { service } of committee.nodes) expect(service.kept().subjects + service.kept().stubs).toBe(8)
  const again = () =>
    new Set(
      committee.submitted
        .slice(before)
        .flatMap(deliveredResults)
        .map(({ result }) => result.requestId),
    )
  await committee.run(120_000, () => again().size === requests.length, 500)
  expect(again().size).toBe(done())
  for (const id of requests) {
    const request = chain.requests.get(id)
    if (request !== undefined) chain.requests.set(id, { ...request, status: "fulfilled" })
  }
  chain.head = blockAt(101n, chain.head.timestamp + 1n)
  await committee.run(2000, undefined, 500)
  for (const { service } of committee.nodes) expect(service.kept()).toMatchObject({ subjects: 0, stubs: 0 })
})

test("whoever restarts is answered, whether its peers kept a subject in full or as a stub, and then silence returns", async () => {
  const { committee, requests, finish, during, said } = scene(40)
  await finish(120_000)
  await committee.run(4000, undefined, 500)
  committee.restart(2)
  const node = committee.nodes.find(({ party }) => party === 2)
  const opened = () => (node?.service.kept().stubs ?? 0) > 0
  said.clear()
  await committee.run(120_000, opened, 500)
  expect(opened()).toBe(true)
  const { subjects = 0, stubs = 0 } = node?.service.kept() ?? {}
  expect(subjects + stubs).toBe(requests.length)
  await committee.run(60_000, undefined, 2000)
  expect(await during(60_000, 2000)).toBe(0)
}, 120_000)
