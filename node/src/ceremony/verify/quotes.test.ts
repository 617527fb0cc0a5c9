import type { QuoteKnobs } from "@twinlock/devnet/platform/quote"
import { parseRootKey } from "@twinlock/sdk/attestation/chain"
import { explainUnder } from "@twinlock/sdk/attestation/explain"
import { INTEL_ROOT_KEY } from "@twinlock/sdk/attestation/verifyQuote"
import { partyIndexes } from "@twinlock/sdk/protocol/committee"
import type { PartyIndex } from "@twinlock/sdk/protocol/ids"
import { beforeAll, expect, test } from "vitest"
import { codeOf } from "../../../../test/support/codeOf.ts"
import { blockAt, collateralOf, REGISTRY, rootKey, sceneOf } from "../../roles/standing.fixture.ts"
import { attemptOfParty, COMMITTEE, PROPOSAL } from "../party.fixture.ts"
import {
  decodeStandingProof,
  encodeStandingProof,
  type StandingProof,
  standingReportData,
} from "../standingProof.ts"
import { checkQuotes, createStandingJudge } from "./quotes.ts"
import type { Transcript } from "./transcript.ts"

const root = parseRootKey(rootKey)
const judge = createStandingJudge((quote, options) => explainUnder(root, quote, options))
let evidence: ReadonlyMap<PartyIndex, Uint8Array>

beforeAll(async () => {
  const names = ["alice", "bob", "carol", "dave"]
  evidence = new Map(
    await Promise.all(
      partyIndexes(COMMITTEE).map(async (party) => {
        const signer = COMMITTEE.parties[party - 1] ?? REGISTRY
        return [party, await sceneOf(signer, names[party - 1]).standing.evidence()] as const
      }),
    ),
  )
})

const proofOf = (party: number): StandingProof =>
  decodeStandingProof(evidence.get(party as PartyIndex) ?? new Uint8Array())
const DEADLINE = blockAt(10_000n).timestamp + 3_600n

/** @param change replaces what party 2 showed */
function transcript(
  change: Partial<StandingProof> = {},
  { deadline = DEADLINE, chainId = 31_337n, shown = evidence } = {},
): Transcript {
  const broadcasts = new Map(
    [...shown].map(([party, bytes]) => [
      party,
      party === 2 ? encodeStandingProof({ ...decodeStandingProof(bytes), ...change }) : bytes,
    ]),
  )
  return {
    bundle: {
      proposal: { ...PROPOSAL, deadline },
      signing: { chainId, verifyingContract: REGISTRY },
    },
    attempt: attemptOfParty(1),
    broadcasts: () => broadcasts,
  } as never
}

test("a quote as old as peers accept, for a proposal as long as the registry admits", () => {
  const long = transcript({}, { deadline: blockAt(10_000n).timestamp + 31n * 86_400n })
  expect(checkQuotes(long, judge)).toContain("4 genuine machines")
})

test("genuine machines, judged with the collateral of their time", () => {
  const text = checkQuotes(transcript(), judge)
  expect(text).toContain(`4 genuine machines (UpToDate), quoted 2026-`)
  const { imageId, composeHash, providerId } = sceneOf(REGISTRY).entry
  expect(text).toContain(`; image ${imageId}, compose file ${composeHash}, key provider ${providerId}`)
})

test("a reader's own policy counts beside it", () => {
  const none = createStandingJudge((quote, options) => explainUnder(root, quote, options), { images: [] })
  expect(codeOf(() => checkQuotes(transcript(), none))).toBe("POLICY_IMAGE")
})

test("what no registry would admit is refused, unless the reader's policy admits it", () => {
  const withStatus = (status: "Revoked" | "OutOfDate") =>
    transcript({ collateral: collateralOf({ qeLevels: [{ isvSvn: 1, status }] }) })
  expect(codeOf(() => checkQuotes(withStatus("Revoked"), judge))).toBe("POLICY_TCB_STATUS")
  expect(codeOf(() => checkQuotes(withStatus("OutOfDate"), judge))).toBe("POLICY_TCB_STATUS")
  const lenient = createStandingJudge((quote, options) => explainUnder(root, quote, options), {
    statuses: ["UpToDate", "OutOfDate"],
  })
  expect(checkQuotes(withStatus("OutOfDate"), lenient)).toContain("4 genuine machines (UpToDate, OutOfDate)")
  expect(codeOf(() => checkQuotes(withStatus("Revoked"), lenient))).toBe("POLICY_TCB_STATUS")
})

test.each<readonly [string, QuoteKnobs, string]>([
  ["other attributes", { tdAttributes: "0x0000005000000000" }, "POLICY_TD_ATTRIBUTES"],
  ["other extended features", { xfam: "0xe702060000000080" }, "POLICY_XFAM"],
])("a machine with %s than a registry admits is refused", (_, knobs, code) => {
  const signer = COMMITTEE.parties[1] ?? REGISTRY
  const reportData = standingReportData(proofOf(2), signer, { chainId: 31_337n })
  const quoted = (own: QuoteKnobs) => transcript({ evidence: sceneOf(signer, "bob").quoted(reportData, own) })
  expect(codeOf(() => checkQuotes(quoted({}), judge))).toBe("none")
  expect(codeOf(() => checkQuotes(quoted(knobs), judge))).toBe(code)
})

test("a quote under another root than the reader's is refused", () => {
  const intel = createStandingJudge((quote, options) => explainUnder(INTEL_ROOT_KEY, quote, options))
  expect(codeOf(() => checkQuotes(transcript(), intel))).toBe("ROOT_MISMATCH")
})

test.each<readonly [string, string, () => Transcript]>([
  [
    "a time at which the collateral did not hold",
    "CERTIFICATE_NOT_YET_VALID",
    () => transcript({ time: 1_000 }),
  ],
  ["another operator", "POLICY_REPORT_DATA", () => transcript({ operator: REGISTRY })],
  ["another block", "POLICY_REPORT_DATA", () => transcript({ challengeBlock: 10_001n })],
  ["another chain", "POLICY_REPORT_DATA", () => transcript({}, { chainId: 1n })],
  ["another registry", "POLICY_REPORT_DATA", () => transcript({ nodeRegistry: PROPOSAL.host.gateway })],
  [
    "the seat of another party",
    "POLICY_REPORT_DATA",
    () =>
      transcript(
        {},
        {
          shown: new Map(
            [...evidence.keys()].map((party) => [party, evidence.get(1 as PartyIndex) ?? new Uint8Array()]),
          ),
        },
      ),
  ],
  [
    "a proposal that ended before",
    "AUDIT_REFUSED",
    () => transcript({}, { deadline: blockAt(0n).timestamp }),
  ],
  [
    "a proposal of months later",
    "AUDIT_REFUSED",
    () => transcript({}, { deadline: DEADLINE + 32n * 86_400n }),
  ],
  [
    "bytes that are no evidence",
    "EVIDENCE_MALFORMED",
    () => transcript({}, { shown: new Map([[1 as PartyIndex, new Uint8Array(3)]]) }),
  ],
])("%s is refused", (_, code, made) => {
  expect(codeOf(() => checkQuotes(made(), judge))).toBe(code)
})
