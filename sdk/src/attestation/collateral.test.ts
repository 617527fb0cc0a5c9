import { createPlatform } from "@twinlock/devnet/platform/platform"
import { expect, test } from "vitest"
import { parseQeIdentity, parseTcbInfo } from "./collateral.ts"
import { parseCollateralBundle } from "./collateralBundle.ts"

const bundle = createPlatform({ seed: "collateral", now: 1_791_158_400 }).collateral()

test("TCB info and QE identity are parsed completely", () => {
  const info = parseTcbInfo(bundle.tcb_info)
  expect(info).toMatchObject({
    fmspc: "0xb0c06f000000",
    pceId: "0x0000",
    evaluationNumber: 20,
    issuedAt: 1_791_158_400,
  })
  expect(info.levels.map((level) => level.status)).toEqual(["UpToDate", "OutOfDate", "OutOfDate"])
  expect([...info.modules.keys()]).toEqual([3, 1])
  expect(parseQeIdentity(bundle.qe_identity)).toMatchObject({ isvProdId: 2, evaluationNumber: 20 })
})

/** The document with one member changed. */
const changed = (text: string, change: Readonly<Record<string, unknown>>) =>
  JSON.stringify({ ...(JSON.parse(text) as object), ...change })
const module1 = {
  id: "TDX_01",
  mrsigner: "00".repeat(48),
  attributes: "00".repeat(8),
  attributesMask: "00".repeat(8),
  tcbLevels: [],
}

test.each<[string, Readonly<Record<string, unknown>>, string]>([
  ["another id", { id: "SGX" }, "want TDX TCB info"],
  ["another version", { version: 2 }, "want TDX TCB info"],
  ["another type", { tcbType: 1 }, "want TDX TCB info"],
  ["a date without zone", { issueDate: "2026-01-01T00:00:00" }, "must be a date"],
  ["a date that does not exist", { nextUpdate: "2026-13-01T00:00:00Z" }, "must be a date"],
  ["a short processor family", { fmspc: "B0C06F" }, "6 bytes of hex"],
  ["a fractional evaluation number", { tcbEvaluationDataNumber: 1.5 }, "must be an integer"],
  ["no levels", { tcbLevels: undefined }, "must be a list"],
  [
    "an unknown status",
    {
      tcbLevels: [
        {
          tcb: {
            sgxtcbcomponents: Array(16).fill({ svn: 0 }),
            pcesvn: 0,
            tdxtcbcomponents: Array(16).fill({ svn: 0 }),
          },
          tcbStatus: "Fine",
        },
      ],
    },
    "unknown TCB status",
  ],
  [
    "too few components",
    { tcbLevels: [{ tcb: { sgxtcbcomponents: [{ svn: 0 }] }, tcbStatus: "UpToDate" }] },
    "must have 16 items",
  ],
  [
    "an SVN above 255",
    { tcbLevels: [{ tcb: { sgxtcbcomponents: Array(16).fill({ svn: 256 }) }, tcbStatus: "UpToDate" }] },
    "0..255",
  ],
  ["a strange module id", { tdxModuleIdentities: [{ ...module1, id: "TDX_1" }] }, "is not TDX_xx"],
  ["a module twice", { tdxModuleIdentities: [module1, module1] }, "stands twice"],
])("TCB info with %s is refused", (_, change, message) => {
  expect(() => parseTcbInfo(changed(bundle.tcb_info, change))).toThrow(message)
})

test.each<[string, Readonly<Record<string, unknown>>, string]>([
  ["of an SGX enclave", { id: "QE" }, "want TD_QE"],
  ["of another version", { version: 1 }, "want TD_QE"],
  [
    "with advisories that are no strings",
    { tcbLevels: [{ tcb: { isvsvn: 1 }, tcbStatus: "UpToDate", advisoryIDs: [1] }] },
    "list of strings",
  ],
])("a QE identity %s is refused", (_, change, message) => {
  expect(() => parseQeIdentity(changed(bundle.qe_identity, change))).toThrow(message)
})

test.each(["", "[]", "null", "1", "{"])("%s is no document", (text) => {
  expect(() => parseTcbInfo(text)).toThrow("TCB_INFO_MALFORMED")
})

test("a bundle needs every member as a string of bounded size", () => {
  expect(parseCollateralBundle({ ...bundle, further: 1 })).toEqual(bundle)
  expect(() => parseCollateralBundle(null)).toThrow("must be an object")
  expect(() => parseCollateralBundle({ ...bundle, pck_crl: undefined })).toThrow("pck_crl must be a string")
  expect(() => parseCollateralBundle({ ...bundle, tcb_info: " ".repeat(300_000) })).toThrow("the maximum is")
})
