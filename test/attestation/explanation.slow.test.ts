/** The diagnosis of every quote of the corpus says what the verifier says, and its first failed check says why. */
import { explainUnder } from "@twinlock/sdk/attestation/explain"
import { quoteVerifierUnder } from "@twinlock/sdk/attestation/underRoot"
import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import { expect, test } from "vitest"
import { corpus, titleOf } from "./corpus/corpus.ts"
import { rootKeyOf } from "./courts.ts"

const quotes = corpus.flatMap((item) => {
  const input = item.build()
  return input.subject.kind === "quote" ? [{ item, input, bytes: input.subject.bytes }] : []
})

test(`${quotes.length} quotes`, () => {
  expect(quotes.length).toBeGreaterThan(150)
  for (const { item, input, bytes } of quotes) {
    const { collateral, time, floors } = input
    const rootKey = rootKeyOf(item.root)
    let want: string
    try {
      want = quoteVerifierUnder(rootKey).verify(bytes, { collateral, time, floors }).status
    } catch (error) {
      if (!isProtocolError(error)) throw error
      want = error.detail.code
    }
    const { failure, status, checks } = explainUnder(rootKey, bytes, { collateral, time, policy: { floors } })
    const first = checks.find((check) => check.status === "failed")
    expect([titleOf(item), failure?.code ?? status]).toEqual([titleOf(item), want])
    expect([titleOf(item), first?.code ?? null]).toEqual([titleOf(item), failure?.code ?? null])
  }
})
