import { hashDecryptionResult } from "@twinlock/sdk/protocol/eip712"
import { resultFromBody } from "@twinlock/sdk/protocol/http"
import { leafHash, rootOf, rootOfPath } from "@twinlock/sdk/threshold/merkle"
import { describe, expect, test } from "vitest"
import { resultsOfBatch } from "./batches.ts"
import { batchOf } from "./submission.fixture.ts"

describe("batches", () => {
  test("give every result its own place under the same root", () => {
    const batch = batchOf(5)
    const leaves = batch.results.map((result) => leafHash(hashDecryptionResult(resultFromBody(result))))
    for (const [i, { certificate }] of resultsOfBatch(batch).entries()) {
      const leaf = leaves[i]
      if (leaf === undefined) throw new Error("no leaf")
      expect(rootOfPath({ ...certificate, leaf })).toBe(rootOf(leaves))
    }
  })
})
