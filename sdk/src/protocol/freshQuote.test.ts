import { expect, test } from "vitest"
import { freshQuoteBinding } from "./freshQuote.ts"
import { parseAddress, parseDigest, parseEpoch, parseKeyId } from "./ids.ts"

const subject = {
  chainId: 31337n,
  verifier: parseAddress(`0x${"33".repeat(20)}`),
  keyId: parseKeyId(`0x${"11".repeat(32)}`),
  epoch: parseEpoch(3),
  party: 4,
  root: parseDigest(`0x${"22".repeat(32)}`),
  leaves: 5,
}

/** What it is, test/vectors say, to contract and SDK alike. */
test("every field counts", () => {
  for (const change of [
    { chainId: 1n },
    { verifier: parseAddress(`0x${"34".repeat(20)}`) },
    { keyId: parseKeyId(subject.root) },
    { epoch: parseEpoch(4) },
    { party: 3 },
    { root: parseDigest(subject.keyId) },
    { leaves: 6 },
  ])
    expect(freshQuoteBinding({ ...subject, ...change })).not.toBe(freshQuoteBinding(subject))
})
