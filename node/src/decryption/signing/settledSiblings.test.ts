/** Results of one batch are not all settled at once: what comes late for one of them still counts. */
import type { QuoteEvidence } from "@twinlock/sdk/protocol/certificate"
import { taggedHash } from "@twinlock/sdk/protocol/codec"
import type { Endorsement, FreshQuote, GossipMessage } from "@twinlock/sdk/protocol/messages"
import { signDigest } from "@twinlock/sdk/protocol/signature"
import { expect, test } from "vitest"
import { createSigningNetwork, resultNumber } from "../../../../test/support/signingNetwork.ts"
import { rankedParties } from "../ranking.ts"
import { type KeySeat, signAs } from "../seat.ts"
import { type Batch, batchOf, endorsedDigest, leafOf } from "./batch.ts"
import { encodeQuoteEvidence } from "./quoteEvidence.ts"

const BLOCK = taggedHash("block of settled siblings")
const size = { n: 4, t: 1 }
const late = Number(rankedParties(size, BLOCK).at(-1))
const [demanding, plain] = [resultNumber(0), resultNumber(1)]

const evidence: QuoteEvidence = {
  ...{ quote: new Uint8Array(64), auth: new Uint8Array(), pckLeaf: new Uint8Array() },
  ...{ caId: taggedHash("ca"), configDocument: new Uint8Array() },
}
const quotes = { quoteOver: async () => evidence, holds: async () => true }

const placeOf = ({ leaves, root }: Batch) => ({ subjects: leaves.map(({ requestId }) => requestId), root })
const endorsement = (seat: KeySeat, batch: Batch): GossipMessage =>
  signAs<Endorsement>(seat, {
    ...{ kind: "endorsement", ...placeOf(batch) },
    endorsement: seat.signer.use((key) => signDigest(endorsedDigest(seat, batch), key)),
  })
const quote = (seat: KeySeat, batch: Batch): GossipMessage =>
  signAs<FreshQuote>(seat, {
    ...{ kind: "fresh-quote", ...placeOf(batch) },
    evidence: encodeQuoteEvidence(evidence),
  })

test.each([
  ["an endorsement", { endorsements: 4, freshQuotes: 0, groupOnly: false }, endorsement],
  ["a quote", { endorsements: 0, freshQuotes: 4, groupOnly: false }, quote],
])("%s counts for what is left of a batch", async (_, policy, word) => {
  const network = createSigningNetwork({ ...size, absent: [late], deps: () => ({ quotes }) })
  const present = [...network.members.values()].filter(({ signing }) => signing !== null)
  const delivered = () => present.flatMap((member) => member.delivered.map(({ kind }) => kind))
  await network.approve([demanding, plain])
  network.open([demanding], { blockHash: BLOCK, policy })
  network.open([plain], { blockHash: BLOCK })
  await network.run(5000, () => delivered().includes("group"))
  for (const { signing } of present) signing?.forget(plain.requestId)
  expect(delivered()).not.toContain("policy")

  const { seat, gossip } = network.member(late)
  await gossip.publish(word(seat, batchOf([demanding, plain].map(leafOf))))
  await network.run(1000, () => delivered().includes("policy"))
  expect(delivered()).toContain("policy")
})
