import { createPlatform } from "@twinlock/devnet/platform/platform"
import { describe, expect, test } from "vitest"
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
  expect(info.levels[0]?.tcbDate).toBe(Date.parse("2025-08-13") / 1000)
  expect([...info.modules.keys()]).toEqual([3, 1])
  expect(parseQeIdentity(bundle.qe_identity)).toMatchObject({ isvProdId: 2, evaluationNumber: 20 })
})

// Documents of a third party: their shape is what is under test.
// biome-ignore lint/suspicious/noExplicitAny: edits of JSON at any depth
type Json = any
const edited = (text: string, edit: (document: Json) => void): string => {
  const document: Json = JSON.parse(text)
  edit(document)
  return JSON.stringify(document)
}
const info = (edit: (document: Json) => void) => edited(bundle.tcb_info, edit)
const enclave = (edit: (document: Json) => void) => edited(bundle.qe_identity, edit)

describe("TCB info", () => {
  test.each<[string, (document: Json) => void, string]>([
    ["another id", (d) => Object.assign(d, { id: "SGX" }), "want TDX TCB info"],
    ["another version", (d) => Object.assign(d, { version: 2 }), "want TDX TCB info"],
    ["another type", (d) => Object.assign(d, { tcbType: 1 }), "want TDX TCB info"],
    ["a date without zone", (d) => Object.assign(d, { issueDate: "2026-01-01T00:00:00" }), "must be a date"],
    ["a date in month 13", (d) => Object.assign(d, { nextUpdate: "2026-13-01T00:00:00Z" }), "must be a date"],
    [
      "the 30th of February",
      (d) => Object.assign(d, { nextUpdate: "2026-02-30T00:00:00Z" }),
      "must be a date",
    ],
    ["hour 24", (d) => Object.assign(d, { nextUpdate: "2026-03-01T24:00:00Z" }), "must be a date"],
    ["a date before 1970", (d) => Object.assign(d, { issueDate: "1969-03-01T00:00:00Z" }), "must be a date"],
    ["a short processor family", (d) => Object.assign(d, { fmspc: "B0C06F" }), "6 bytes of hex"],
    [
      "a processor family that is no hex",
      (d) => Object.assign(d, { fmspc: "B0C06F00000G" }),
      "6 bytes of hex",
    ],
    [
      "a fraction as evaluation number",
      (d) => Object.assign(d, { tcbEvaluationDataNumber: 1.5 }),
      "an integer in",
    ],
    [
      "a negative evaluation number",
      (d) => Object.assign(d, { tcbEvaluationDataNumber: -1 }),
      "an integer in",
    ],
    [
      "a huge evaluation number",
      (d) => Object.assign(d, { tcbEvaluationDataNumber: 65_536 }),
      "an integer in",
    ],
    [
      "text as evaluation number",
      (d) => Object.assign(d, { tcbEvaluationDataNumber: "20" }),
      "an integer in",
    ],
    ["a number as processor family", (d) => Object.assign(d, { fmspc: 1 }), "must be a string"],
    ["no levels", (d) => Object.assign(d, { tcbLevels: [] }), "a list of 1 to"],
    ["no list of levels", (d) => Object.assign(d, { tcbLevels: {} }), "a list of 1 to"],
    ["a missing member", (d) => delete d.pceId, "must have the members"],
    ["an unknown member", (d) => Object.assign(d, { tcbNote: "x" }), "must have the members"],
    [
      "members in another order",
      (d) => {
        const { id } = d
        delete d.id
        d.id = id
      },
      "must have the members",
    ],
    [
      "an unknown member of a level",
      (d) => Object.assign(d.tcbLevels[0], { note: "x" }),
      "must have the members",
    ],
    [
      "an unknown member of an SVN",
      (d) => Object.assign(d.tcbLevels[0].tcb, { x: 1 }),
      "must have the members",
    ],
    [
      "an unknown member of a component",
      (d) => Object.assign(d.tcbLevels[0].tcb.sgxtcbcomponents[9], { x: 1 }),
      "must have the members",
    ],
    ["an unknown member of the module", (d) => Object.assign(d.tdxModule, { x: 1 }), "must have the members"],
    [
      "an unknown member of a module identity",
      (d) => Object.assign(d.tdxModuleIdentities[0], { x: 1 }),
      "must have the members",
    ],
    [
      "an unknown member of a module's SVN",
      (d) => Object.assign(d.tdxModuleIdentities[0].tcbLevels[0].tcb, { x: 1 }),
      "must have the members",
    ],
    ["an unknown status", (d) => Object.assign(d.tcbLevels[0], { tcbStatus: "Fine" }), "unknown TCB status"],
    ["too few components", (d) => d.tcbLevels[0].tcb.tdxtcbcomponents.pop(), "must have 16 items"],
    ["too many components", (d) => d.tcbLevels[0].tcb.sgxtcbcomponents.push({ svn: 0 }), "a list of 1 to 16"],
    [
      "a component SVN above 255",
      (d) => Object.assign(d.tcbLevels[0].tcb.sgxtcbcomponents[0], { svn: 256 }),
      "0..255",
    ],
    [
      "a module SVN above 255",
      (d) => Object.assign(d.tdxModuleIdentities[0].tcbLevels[0].tcb, { isvsvn: 256 }),
      "0..255",
    ],
    ["advisories that are no strings", (d) => Object.assign(d.tcbLevels[1], { advisoryIDs: [1] }), "strings"],
    ["a strange module id", (d) => Object.assign(d.tdxModuleIdentities[0], { id: "TDX_1" }), "is not TDX_xx"],
    [
      "a module id in lower case",
      (d) => Object.assign(d.tdxModuleIdentities[0], { id: "TDX_0a" }),
      "is not TDX_xx",
    ],
    ["a module twice", (d) => d.tdxModuleIdentities.push(d.tdxModuleIdentities[0]), "stands twice"],
    ["no module identity", (d) => Object.assign(d, { tdxModuleIdentities: [] }), "a list of 1 to"],
    [
      "another module signer",
      (d) => Object.assign(d.tdxModule, { mrsigner: "01".repeat(48) }),
      "must be 0000",
    ],
    [
      "a module mask that judges nothing",
      (d) => Object.assign(d.tdxModuleIdentities[0], { attributesMask: "0".repeat(16) }),
      "must be FFFF",
    ],
  ])("with %s is refused", (_, edit, message) => {
    expect(() => parseTcbInfo(info(edit))).toThrow(message)
    expect(() => parseTcbInfo(info(edit))).toThrow("TCB_INFO_MALFORMED")
  })

  test("may name categories of components, advisories and either case of hex", () => {
    const text = info((d) => {
      d.fmspc = "b0C06f000000"
      d.tcbLevels[0].advisoryIDs = []
      d.tcbLevels[0].tcb.sgxtcbcomponents[0] = { svn: 4 }
    })
    expect(parseTcbInfo(text)).toEqual(parseTcbInfo(bundle.tcb_info))
  })
})

describe("QE identity", () => {
  test.each<[string, (document: Json) => void, string]>([
    ["an SGX enclave's id", (d) => Object.assign(d, { id: "QE" }), "want TD_QE"],
    ["another version", (d) => Object.assign(d, { version: 1 }), "want TD_QE"],
    ["an unknown member", (d) => Object.assign(d, { x: 1 }), "must have the members"],
    ["a missing member", (d) => delete d.mrsigner, "must have the members"],
    ["a short mask", (d) => Object.assign(d, { attributesMask: "FF" }), "16 bytes of hex"],
    ["no levels", (d) => Object.assign(d, { tcbLevels: [] }), "a list of 1 to"],
    ["an SVN above 16 bits", (d) => Object.assign(d.tcbLevels[0].tcb, { isvsvn: 65_536 }), "0..65535"],
    ["a product above 16 bits", (d) => Object.assign(d, { isvprodid: 65_536 }), "0..65535"],
  ])("with %s is refused", (_, edit, message) => {
    expect(() => parseQeIdentity(enclave(edit))).toThrow(message)
    expect(() => parseQeIdentity(enclave(edit))).toThrow("QE_IDENTITY_MALFORMED")
  })
})

const { tcb_info: text } = bundle
test.each<[string, string]>([
  ["nothing", ""],
  ["a list", "[]"],
  ["null", "null"],
  ["a number", "1"],
  ["half a document", text.slice(0, -1)],
  ["text after it", `${text} `],
  ["a byte order mark", `\ufeff${text}`],
  ["white space", text.replace('":', '": ')],
  ["a member twice", text.replace('"tcbType":0', '"tcbType":1,"tcbType":0')],
  ["a member twice with the same value", text.replace('"tcbType":0', '"tcbType":0,"tcbType":0')],
  ["an inner member twice", text.replace('"pcesvn":11', '"pcesvn":0,"pcesvn":11')],
  ["an escaped member", text.replace('"pcesvn"', '"pces\\u0076n"')],
  ["an escaped value", text.replace('"UpToDate"', '"Up\\u0054oDate"')],
  ["a number with a fraction of zero", text.replace('"version":3', '"version":3.0')],
  ["a number with an exponent", text.replace('"pcesvn":11', '"pcesvn":1.1e1')],
  ["a negative zero", text.replace('"tcbType":0', '"tcbType":-0')],
  ["a number with a leading zero", text.replace('"version":3', '"version":03')],
  ["a prototype", text.replace('{"id"', '{"__proto__":{},"id"')],
  ["depth without end", "[".repeat(200_000) + "]".repeat(200_000)],
  ["objects without end", `${'{"a":'.repeat(200_000)}1${"}".repeat(200_000)}`],
])("%s is no document", (_, document) => {
  expect(() => parseTcbInfo(document)).toThrow("TCB_INFO_MALFORMED")
})

test("text that is no JSON is told from another spelling", () => {
  expect(() => parseTcbInfo(text.slice(0, -1))).toThrow("is not JSON")
  expect(() => parseTcbInfo(`${text} `)).toThrow("not in its one spelling")
})

test("a bundle needs every member as a string of bounded size", () => {
  expect(parseCollateralBundle({ ...bundle, further: 1 })).toEqual(bundle)
  expect(() => parseCollateralBundle(null)).toThrow("must be an object")
  expect(() => parseCollateralBundle({ ...bundle, pck_crl: undefined })).toThrow("pck_crl must be a string")
  expect(() => parseCollateralBundle({ ...bundle, tcb_info: " ".repeat(300_000) })).toThrow("the maximum is")
})
