/** What the contract of the simulation refuses by form, as the real one does. */

import { signersBitmap } from "@twinlock/sdk/protocol/committee"
import type { SubmissionBody } from "@twinlock/sdk/protocol/http"
import { batchCertificateToBody, certifiedToBody, resultToBody } from "@twinlock/sdk/protocol/http"
import { parsePartyIndex } from "@twinlock/sdk/protocol/ids"
import { groupKey } from "@twinlock/sdk/threshold/frost"
import { describe, expect, test } from "vitest"
import { generateFrostGroup } from "../support/frostGroup.ts"
import { resultNumber } from "../support/signingNetwork.ts"
import { planOf } from "./plan.ts"
import { verifySubmission } from "./verifier.ts"
import { committeeOf, createWorld, EPOCH, GATEWAY } from "./world.ts"

const seed = Array.from({ length: 100 }, (_, at) => at).find((at) => planOf(at).n === 4) ?? 0
const world = createWorld(planOf(seed), null, null)
const committee = committeeOf(world, 1)
const key = { committee, group: groupKey(generateFrostGroup(4, 1, "verifier").publicKey) }
const signers = signersBitmap([1, 2, 3].map((party) => parsePartyIndex(party, 4)))
const signature = { r: GATEWAY, s: 1n }
const named = { keyId: committee.keyId, epoch: EPOCH, signers }

const batchOf = (count: number, change: object = {}): SubmissionBody => ({
  kind: "batch",
  results: Array.from({ length: count }, (_, at) => resultToBody(resultNumber(at))),
  certificate: { ...batchCertificateToBody({ ...named, ...signature }), ...change },
})
const endorsed = (signatures: number): SubmissionBody =>
  certifiedToBody({
    kind: "endorsed",
    result: resultNumber(0),
    certificate: {
      ...{ ...named, leaves: 1, index: 0, path: [] },
      signatures: Array.from({ length: signatures }, () => new Uint8Array(64)),
    },
  })

describe("is refused", () => {
  test.each<[string, SubmissionBody, RegExp]>([
    ["a batch of nothing", batchOf(0), /a batch of 0/],
    ["a batch of more than a call takes", batchOf(65), /a batch of 65/],
    ["a certificate of another epoch", batchOf(1, { epoch: 2 }), /another key/],
    ["a certificate of two", batchOf(1, { signers: "3" }), /of 2 parties/],
    ["a group signature that does not verify", batchOf(64), /does not verify/],
    ["an endorsement too many", endorsed(4), /4 endorsements of 3 parties/],
    ["an endorsement too few", endorsed(2), /2 endorsements of 3 parties/],
  ])("%s", (_, submission, why) => {
    expect(() => verifySubmission(submission, key, world.enclaves)).toThrow(why)
  })
})
