/** Results whose requesters demand more than a signature: each alone, so that whoever knows it can support it at any time. */
import type { QuoteEvidence } from "@twinlock/sdk/protocol/certificate"
import { taggedHash } from "@twinlock/sdk/protocol/codec"
import { expect, test } from "vitest"
import { deliveredResults } from "../../../../test/support/deliveredResults.ts"
import {
  createSigningNetwork,
  resultNumber,
  type SigningNetwork,
} from "../../../../test/support/signingNetwork.ts"
import { rankedParties } from "../ranking.ts"

const BLOCK = taggedHash("block of demands")
const size = { n: 4, t: 1 }
const ranked = rankedParties(size, BLOCK).map(Number)
const late = Number(ranked.at(-1))
const early = ranked.slice(0, -1)
const demanding = [0, 1].map(resultNumber)
const plain = [2, 3].map(resultNumber)

const evidence: QuoteEvidence = {
  ...{ quote: new Uint8Array(64), auth: new Uint8Array(), pckLeaf: new Uint8Array() },
  ...{ caId: taggedHash("ca"), configDocument: new Uint8Array() },
}
const quotes = { quoteOver: async () => evidence, holds: async () => true }

const everything = ({ members }: SigningNetwork) =>
  [...members.values()].flatMap(({ delivered }) => delivered.flatMap(deliveredResults))
const forwardedAs = (network: SigningNetwork, kind: "group" | "policy") =>
  new Set(
    everything(network).flatMap((certified) => (certified.kind === kind ? [certified.result.requestId] : [])),
  )

test.each([
  ["endorsements", { endorsements: 4, freshQuotes: 0, groupOnly: false }],
  ["quotes", { endorsements: 0, freshQuotes: 4, groupOnly: false }],
])("who opens it once the others of its block are settled still adds its word: %s", async (_, policy) => {
  const network = createSigningNetwork({ ...size, deps: () => ({ quotes }) })
  await network.approve([...demanding, ...plain])
  network.open(demanding, { blockHash: BLOCK, policy }, early)
  network.open(plain, { blockHash: BLOCK }, early)
  await network.run(5000, () => forwardedAs(network, "group").size === plain.length)
  for (const party of early)
    for (const { requestId } of plain) network.member(party).signing?.forget(requestId)
  await network.run(5000)
  expect(forwardedAs(network, "policy").size).toBe(0)

  network.open(demanding, { blockHash: BLOCK, policy }, [late])
  await network.run(20_000, () => forwardedAs(network, "policy").size === demanding.length)
  expect(forwardedAs(network, "policy")).toEqual(new Set(demanding.map(({ requestId }) => requestId)))
  const leaves = everything(network).map((certified) => [certified.kind, certified.certificate.leaves])
  expect(new Set(leaves.map(String))).toEqual(new Set(["group,2", "policy,1"]))
})
