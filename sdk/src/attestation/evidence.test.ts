import { createPlatform } from "@twinlock/devnet/platform/platform"
import { makeQuote } from "@twinlock/devnet/platform/quote"
import { keccak256 } from "ethers"
import { expect, test } from "vitest"
import { concatBytes } from "../protocol/codec.ts"
import { caIdOf, evidenceOf, quoteOfEvidence } from "./evidence.ts"
import { parseQuote } from "./quote.ts"

const platform = createPlatform({ seed: "evidence", now: 1_791_158_400 })
const machine = platform.machine("alice")

test("the parts are those of the quote, and the CA is named by its key", () => {
  const bytes = platform.quote({ machine })
  const evidence = evidenceOf(bytes)
  expect(evidence.quote).toEqual(bytes.slice(0, 632))
  expect(evidence.auth).toEqual(
    concatBytes(bytes.slice(636, 764), bytes.slice(770, 1_218), bytes.slice(1_220, 1_252)),
  )
  expect(evidence.pckLeaf).toEqual(machine.pckCertificate)
  expect(evidence.caId).toBe(keccak256(platform.platformCa.key.publicKey))
  expect(caIdOf(platform.platformCa.key.publicKey)).toBe(evidence.caId)
})

test("a configuration document travels along, and none does by default", () => {
  const bytes = platform.quote({ machine })
  const configDocument = new TextEncoder().encode("{}")
  expect(evidenceOf(bytes).configDocument).toEqual(new Uint8Array(0))
  expect(evidenceOf(bytes, configDocument)).toEqual({ ...evidenceOf(bytes), configDocument })
})

test("with the collateral's chain the parts are the whole quote again", () => {
  const bytes = platform.quote({ machine, version: 5 })
  expect(quoteOfEvidence(evidenceOf(bytes), platform.collateral())).toEqual(parseQuote(bytes))
})

test("a quote without its CA gives no evidence", () => {
  const bytes = makeQuote({ ...machine, chain: [machine.pckCertificate] })
  expect(() => evidenceOf(bytes)).toThrow("CHAIN_LENGTH")
})

test("authentication data that are too short are refused", () => {
  const evidence = evidenceOf(platform.quote({ machine }))
  const short = { ...evidence, auth: evidence.auth.slice(0, 575) }
  expect(() => quoteOfEvidence(short, platform.collateral())).toThrow("QUOTE_LENGTH")
})
