import { MAX_EVIDENCE_BYTES } from "@twinlock/sdk/protocol/messages"
import { expect, test } from "vitest"
import { quote } from "../../../test/support/simulatedQuote.ts"
import { decodeQuoteEvidence, encodeQuoteEvidence } from "../decryption/signing/quoteEvidence.ts"
import { freshQuotes } from "./freshQuotes.ts"

const signer = `0x${"11".repeat(20)}` as never
const quotes = freshQuotes({
  quote: async (reportData) => ({
    quote: quote({ reportData }),
    eventLog: "[]",
    configDocument: Uint8Array.of(1, 2, 3),
  }),
})
const wanted = new Uint8Array(64).fill(7)

test("a quote over the wanted bytes is evidence that survives its wire form, within its bound", async () => {
  const evidence = await quotes.quoteOver(wanted)
  const bytes = encodeQuoteEvidence(evidence)
  expect(bytes.length).toBeLessThan(MAX_EVIDENCE_BYTES)
  expect(decodeQuoteEvidence(bytes)).toEqual(evidence)
  expect(() => decodeQuoteEvidence(bytes.slice(1))).toThrow()
  expect(await quotes.judge(signer, wanted, evidence)).toBe(true)
})

test("evidence for other bytes, and what is no quote, is refused", async () => {
  const evidence = await quotes.quoteOver(wanted)
  expect(await quotes.judge(signer, new Uint8Array(64), evidence)).toBe(false)
  expect(await quotes.judge(signer, wanted, { ...evidence, quote: new Uint8Array(632) })).toBe(false)
  expect(await quotes.judge(signer, wanted, { ...evidence, auth: new Uint8Array(3) })).toBe(false)
})
