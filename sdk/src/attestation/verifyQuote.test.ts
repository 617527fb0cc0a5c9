/** Real quotes under Intel's root, each at the time at which its collateral was valid. */
import { existsSync, readFileSync } from "node:fs"
import { createPlatform } from "@twinlock/devnet/platform/platform"
import { describe, expect, test } from "vitest"
import { parseDigest } from "../protocol/ids.ts"
import { parseCollateralBundle } from "./collateralBundle.ts"
import { evidenceOf } from "./evidence.ts"
import { appraiseMachine } from "./policy.ts"
import { parseQuote } from "./quote.ts"
import { checkStatus } from "./statusPolicy.ts"
import { createQuoteVerifier, INTEL_ROOT_ID, verifyCollateral, verifyQuote } from "./verifyQuote.ts"

const SAMPLES = new URL("../../../../shared/attestation-samples/", import.meta.url)
const present = existsSync(SAMPLES)

const bytesOf = (path: string) => new Uint8Array(readFileSync(new URL(path, SAMPLES)))
const jsonOf = (path: string): unknown => JSON.parse(readFileSync(new URL(path, SAMPLES), "utf8"))

function outcome(quotePath: string, collateralPath: string, time: number): string {
  const collateral = parseCollateralBundle(jsonOf(collateralPath))
  try {
    return verifyQuote(bytesOf(quotePath), { collateral, time, floors: { tcb: 17, qe: 17 } }).status
  } catch (error) {
    return (error as { detail: { code: string } }).detail.code
  }
}

/** Verdicts of index.json in our own codes. */
const EXPECTED: Readonly<Record<string, string>> = {
  "near-mpc-dstack-v4-b0c0": "UpToDate",
  "dstack-verifier-v4-90c0": "UpToDate",
  "dstack-simulator-fixture-v4-b0c0": "UpToDate",
  "dstack-tdx-lite-v4-90c0": "CRL_EXPIRED",
  "dcap-qvl-v4-b0c0": "UpToDate",
  "flashtestations-v4-b0c0": "UpToDate",
  "NEG-alibaba-v5-90c0-servicetd": "TD_SERVICE",
  "NEG-dcap-qvl-v5-90c0-below-tcb": "TCB_LEVEL",
  "NEG-trustee-v4-5080-debug": "TD_DEBUG",
  "NEG-sgx-v3-00a0": "QUOTE_VERSION",
}

const MUTATIONS: Readonly<Record<string, string>> = {
  "header-version-3": "QUOTE_VERSION",
  "header-tee-sgx": "QUOTE_TEE_TYPE",
  "qe-vendor-id": "QUOTE_VENDOR",
  mrtd: "QUOTE_SIGNATURE",
  mrconfigid: "QUOTE_SIGNATURE",
  "report-data": "QUOTE_SIGNATURE",
  "quote-signature": "QUOTE_SIGNATURE",
  "attestation-key": "QE_REPORT_BINDING",
  "qe-report-signature": "QE_REPORT_SIGNATURE",
  "qe-auth-data": "QE_REPORT_BINDING",
  truncated: "QUOTE_LENGTH",
  "crl-empty": "CRL_MALFORMED",
  "crl-garbage": "CRL_MALFORMED",
  "crl-bad-signature": "CRL_SIGNATURE",
  "tcb-info-edited": "TCB_INFO_SIGNATURE",
  "tcb-info-signature": "TCB_INFO_SIGNATURE",
  "qe-identity-edited": "QE_IDENTITY_SIGNATURE",
  "other-fmspc-collateral": "TCB_INFO_FMSPC",
  "expired-now": "CRL_EXPIRED",
  "before-issue": "CRL_NOT_YET_VALID",
}

describe.skipIf(!present)(
  `real quotes (${present ? "from shared/attestation-samples" : "skipped: ../shared/attestation-samples is absent"})`,
  () => {
    type Sample = { readonly id: string; readonly validAtUnix: number }
    const samples = present ? (jsonOf("index.json") as readonly Sample[]) : []

    test("every sample of the index has an expected verdict", () => {
      expect(samples.map((sample) => sample.id).sort()).toEqual(Object.keys(EXPECTED).sort())
    })

    test.each(samples)("$id", ({ id, validAtUnix }) => {
      expect(outcome(`${id}/quote.bin`, `${id}/collateral.json`, validAtUnix)).toBe(EXPECTED[id])
    })

    type Mutation = {
      readonly name: string
      readonly quote: string
      readonly collateral: string
      readonly atUnix: number
    }
    const mutations = present ? (jsonOf("NEG-mutations/index.json") as readonly Mutation[]) : []

    test("every mutation of the index has an expected verdict", () => {
      expect(mutations.map((mutation) => mutation.name).sort()).toEqual(Object.keys(MUTATIONS).sort())
    })

    test.each(mutations)("mutation $name", ({ name, quote, collateral, atUnix }) => {
      expect(outcome(`NEG-mutations/${quote}`, `NEG-mutations/${collateral}`, atUnix)).toBe(MUTATIONS[name])
    })

    test("quotes of a platform with a root of its own are refused", () => {
      expect(outcome("SIM-v4/quote.bin", "SIM-v4/collateral.json", 1_791_158_400)).toBe("ROOT_MISMATCH")
    })

    /** What the contract's rules say about the trust domain: mr_config_id names its compose file, or is zero. */
    test.each([
      ["near-mpc-dstack-v4-b0c0", "0x2911e1f733466216dedb862d6d669e11256ee7a34ce4dbc66c4b807ba7a9c895"],
      [
        "dstack-simulator-fixture-v4-b0c0",
        "0xc143116fef3940e7f776bfc0919c256232ae5338a6e948c96b711e0b2383483a",
      ],
      ["dstack-verifier-v4-90c0", "CONFIG_ID_MISSING"],
      ["dcap-qvl-v4-b0c0", "CONFIG_ID_MISSING"],
      ["flashtestations-v4-b0c0", "CONFIG_ID_MISSING"],
    ])("the machine of %s", (id, want) => {
      const { report } = parseQuote(bytesOf(`${id}/quote.bin`))
      const found = () => appraiseMachine({ report }).composeHash
      if (want.startsWith("0x")) expect(found()).toBe(want)
      else expect(found).toThrow(want)
    })

    test("a genuine machine that fell behind has its days of grace from Intel's better levels on", () => {
      const collateral = parseCollateralBundle(jsonOf("near-mpc-dstack-v4-b0c0/collateral.json"))
      const time = 1_786_622_400
      const options = { collateral, time, floors: { tcb: 20, qe: 19 } }
      const quote = verifyQuote(bytesOf("flashtestations-v4-b0c0/quote.bin"), options)
      const day = (text: string) => Date.parse(text) / 1000
      expect(quote).toMatchObject({
        status: "OutOfDate",
        levels: {
          platform: { status: "OutOfDate", supersededAt: day("2025-08-13") },
          module: { status: "OutOfDate", supersededAt: day("2025-05-14") },
          quotingEnclave: { status: "UpToDate", supersededAt: null },
        },
      })
      const after = (outOfDateGraceDays: number) => () =>
        checkStatus(quote, { accepted: ["UpToDate"], outOfDateGraceDays, advisories: null })
      const age = Math.ceil((time - day("2025-05-14")) / 86_400)
      expect(after(age)).not.toThrow()
      expect(after(age - 1)).toThrow("POLICY_TCB_GRACE")
      expect(after(0)).toThrow("POLICY_TCB_STATUS")
    })

    test("verified collateral judges several real machines", () => {
      const terms = { time: 1_786_622_400, floors: { tcb: 20, qe: 19 } }
      const bundle = parseCollateralBundle(jsonOf("near-mpc-dstack-v4-b0c0/collateral.json"))
      const collateral = verifyCollateral(bundle, terms)
      const statusOf = (id: string) =>
        verifyQuote(bytesOf(`${id}/quote.bin`), { collateral, ...terms }).status
      expect(statusOf("near-mpc-dstack-v4-b0c0")).toBe("UpToDate")
      expect(statusOf("dstack-simulator-fixture-v4-b0c0")).toBe("UpToDate")
      expect(() => statusOf("dstack-verifier-v4-90c0")).toThrow("TCB_INFO_FMSPC")
    })

    test("real evidence verifies in parts, too", () => {
      const id = "near-mpc-dstack-v4-b0c0"
      const collateral = parseCollateralBundle(jsonOf(`${id}/collateral.json`))
      const options = { collateral, time: 1_786_622_400, floors: { tcb: 20, qe: 19 } }
      const evidence = evidenceOf(bytesOf(`${id}/quote.bin`))
      expect(createQuoteVerifier(INTEL_ROOT_ID).verifyEvidence(evidence, options).status).toBe("UpToDate")
    })
  },
)

test("the production entry refuses a simulated platform", () => {
  const platform = createPlatform({ seed: "production", now: 1_791_158_400 })
  const options = { collateral: platform.collateral(), time: platform.now, floors: { tcb: 0, qe: 0 } }
  expect(() => verifyQuote(platform.quote(), options)).toThrow("ROOT_MISMATCH")
})

test("a network whose contract pins another root is refused", () => {
  expect(INTEL_ROOT_ID).toBe("0x89f72d7c488e5b53a77c23ebcb36970ef7eb5bcf6658e9b8292cfbe4703a8473")
  expect(() => createQuoteVerifier(parseDigest(`0x${"11".repeat(32)}`))).toThrow("ROOT_MISMATCH")
  expect(createQuoteVerifier(INTEL_ROOT_ID).rootId).toBe(INTEL_ROOT_ID)
})
