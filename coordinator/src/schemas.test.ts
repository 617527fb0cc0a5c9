import { describe, expect, test } from "vitest"
import { resultsOfBatch } from "./batches.ts"
import { bytes32 } from "./http.fixture.ts"
import { submissionBody } from "./schemas.ts"
import { batchOf, endorsed } from "./submission.fixture.ts"

describe("bodies", () => {
  const evidence = {
    endorsers: "1",
    signatures: [`0x${"07".repeat(64)}`],
    quotes: [
      {
        party: 1,
        evidence: { quote: "0x01", auth: "0x", pckLeaf: "0x", caId: bytes32("01"), configDocument: "0x" },
      },
    ],
  }
  const [group] = resultsOfBatch(batchOf(1))
  const policy = { ...group, kind: "policy", evidence }

  test.each([
    ["group", group],
    ["batch", batchOf(64)],
    ["endorsed", endorsed],
    ["policy", policy],
  ])("%s is taken as it is", (_, body) => {
    expect(submissionBody.parse(body)).toEqual(body)
  })

  test.each([
    ["no kind", { ...group, kind: undefined }],
    ["an unknown kind", { ...group, kind: "other" }],
    ["a field too many", { ...group, evidence }],
    ["evidence missing", { ...policy, evidence: undefined }],
    ["a batch without results", { ...batchOf(1), results: [] }],
    ["a batch too large", batchOf(65)],
    ["a batch with a place", { ...batchOf(1), certificate: group?.certificate }],
    ["a signature too long", { ...policy, evidence: { ...evidence, signatures: [`0x${"07".repeat(65)}`] } }],
    [
      "sixteen quotes",
      { ...policy, evidence: { ...evidence, quotes: new Array(16).fill(evidence.quotes[0]) } },
    ],
  ])("%s is refused", (_, body) => {
    expect(submissionBody.safeParse(body).success).toBe(false)
  })
})
