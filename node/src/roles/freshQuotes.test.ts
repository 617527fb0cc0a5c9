import { taggedHash } from "@twinlock/sdk/protocol/codec"
import {
  type Hex,
  parseAddress,
  parseHandle,
  parsePartyIndex,
  parseSessionId,
} from "@twinlock/sdk/protocol/ids"
import { MAX_EVIDENCE_BYTES } from "@twinlock/sdk/protocol/messages"
import { expect, test } from "vitest"
import { blockAt, SIGNING } from "../../../test/support/scriptedChain.ts"
import { resultNumber } from "../../../test/support/signingNetwork.ts"
import { quote } from "../../../test/support/simulatedQuote.ts"
import { testSeat } from "../../../test/support/testSeat.ts"
import { decryptionVerifierInterface } from "../chain/contracts.ts"
import { batchOf, type GroupCertified, leafOf } from "../decryption/signing/batch.ts"
import { decodeQuoteEvidence, encodeQuoteEvidence } from "../decryption/signing/quoteEvidence.ts"
import { freshQuotes } from "./freshQuotes.ts"

const [alice, bob, carol] = [1, 2, 3].map((index) => parsePartyIndex(index, 4)) as [never, never, never]
const seat = testSeat(1)
const HEAD = blockAt(7n, 1n)
const wanted = new Uint8Array(64).fill(7)
const result = (number: number) => ({
  ...resultNumber(number),
  handles: [parseHandle(taggedHash("handle", number))],
  sessions: [parseSessionId(taggedHash("session", number))],
})
const certified: GroupCertified = {
  kind: "group",
  batch: batchOf([leafOf(result(1)), leafOf(result(2))]),
  parties: [alice, bob, carol],
  signature: { r: parseAddress(`0x${"22".repeat(20)}`), s: 5n },
}

/** @param answer of the verifier: null reverts */
function scene(answer: Hex | null) {
  const asked: { readonly to: string; readonly data: string; readonly at: unknown }[] = []
  const quotes = freshQuotes(seat, {
    quoter: {
      quote: async (reportData) => ({
        quote: quote({ reportData }),
        eventLog: "[]",
        configDocument: Uint8Array.of(1, 2, 3),
      }),
    },
    chain: { head: async () => HEAD },
    reader: {
      rawCall: async (to, data, _, at) => {
        asked.push({ to, data, at })
        return answer
      },
    },
    verifier: SIGNING.verifyingContract,
  })
  return { quotes, asked }
}

test("an own quote is evidence that survives its wire form, within its bound", async () => {
  const evidence = await scene("0x").quotes.quoteOver(wanted)
  const bytes = encodeQuoteEvidence(evidence)
  expect(bytes.length).toBeLessThan(MAX_EVIDENCE_BYTES)
  expect(decodeQuoteEvidence(bytes)).toEqual(evidence)
  expect(() => decodeQuoteEvidence(bytes.slice(1))).toThrow()
})

test("a quote holds where the verifier takes it beside the certificate, alone and at the agreed head", async () => {
  const { quotes, asked } = scene("0x")
  const evidence = await quotes.quoteOver(wanted)
  expect(await quotes.holds(certified, bob, evidence)).toBe(true)
  const [call] = asked
  expect(call).toMatchObject({ to: SIGNING.verifyingContract, at: HEAD })
  const [opened, certificate, beside, policy] = decryptionVerifierInterface.decodeFunctionData(
    "verifyWith",
    call?.data ?? "0x",
  )
  expect(opened.requestId).toBe(resultNumber(1).requestId)
  expect([certificate.signers, certificate.leaves, certificate.index]).toEqual([7n, 2n, 0n])
  expect(beside.quotes.map(({ index }: { readonly index: bigint }) => index)).toEqual([2n])
  expect([policy.endorsements, policy.freshQuotes]).toEqual([0n, 1n])
})

test("one that the verifier refuses does not hold", async () => {
  const { quotes } = scene(null)
  expect(await quotes.holds(certified, bob, await quotes.quoteOver(wanted))).toBe(false)
})
