/** Checklist line 5: TCB info and QE identity, as signed. */

import type { CollateralKnobs } from "@twinlock/devnet/platform/collateral"
import { malleated } from "@twinlock/devnet/platform/keys"
import { DEFAULT_LEVELS, DEFAULT_MODULES } from "@twinlock/devnet/platform/tcbLevels"
import type { CollateralBundle } from "@twinlock/sdk/attestation/collateralBundle"
import type { AttestationErrorCode } from "@twinlock/sdk/attestation/errors"
import { NOT_SUBMITTABLE } from "../cutEvidence.ts"
import { accepted, type Case, type Expected, refused, unseenOnChain } from "./case.ts"
import { DAY, flipped, NOW, type Scene, simulated } from "./scene.ts"

const TIME = NOW + DAY

type Document = {
  readonly name: string
  readonly text: "tcb_info" | "qe_identity"
  readonly signature: "tcb_info_signature" | "qe_identity_signature"
  readonly forged: AttestationErrorCode
  readonly malformed: AttestationErrorCode
  readonly expired: AttestationErrorCode
  readonly early: AttestationErrorCode
  readonly belowFloor: AttestationErrorCode
  readonly members: (members: Readonly<Record<string, unknown>>) => CollateralKnobs
  readonly rewritten: (rewrite: (text: string) => string) => CollateralKnobs
}

const TCB_INFO: Document = {
  name: "TCB info",
  text: "tcb_info",
  signature: "tcb_info_signature",
  forged: "TCB_INFO_SIGNATURE",
  malformed: "TCB_INFO_MALFORMED",
  expired: "TCB_INFO_EXPIRED",
  early: "TCB_INFO_NOT_YET_VALID",
  belowFloor: "TCB_INFO_BELOW_FLOOR",
  members: (tcbInfoMembers) => ({ tcbInfoMembers }),
  rewritten: (tcbInfoText) => ({ tcbInfoText }),
}
const QE_IDENTITY: Document = {
  name: "QE identity",
  text: "qe_identity",
  signature: "qe_identity_signature",
  forged: "QE_IDENTITY_SIGNATURE",
  malformed: "QE_IDENTITY_MALFORMED",
  expired: "QE_IDENTITY_EXPIRED",
  early: "QE_IDENTITY_NOT_YET_VALID",
  belowFloor: "QE_IDENTITY_BELOW_FLOOR",
  members: (qeIdentityMembers) => ({ qeIdentityMembers }),
  rewritten: (qeIdentityText) => ({ qeIdentityText }),
}

const iso = (time: number) => new Date(time * 1000).toISOString().replace(".000Z", "Z")
const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex")
const bytesOf = (hex: string) => new Uint8Array(Buffer.from(hex, "hex"))

function signatureCases(document: Document): readonly Case[] {
  const { text, signature, forged } = document
  const made = (
    name: string,
    bundle: (good: CollateralBundle) => Partial<CollateralBundle>,
    expected: Expected,
  ) => simulated("5 signature", `${document.name}: ${name}`, { bundle }, expected)
  const REFUSED = refused(forged, "InvalidSignature")
  return [
    made(
      "the other form of the signature",
      (good) => ({ [signature]: hexOf(malleated(bytesOf(good[signature]))) }),
      accepted(),
    ),
    made(
      "the signature in upper case",
      (good) => ({ [signature]: good[signature].toUpperCase() }),
      accepted(),
    ),
    made("a status is edited", (good) => ({ [text]: good[text].replace("UpToDate", "Revoked") }), REFUSED),
    made(
      "an evaluation number is edited",
      (good) => ({ [text]: good[text].replace('Number":20', 'Number":21') }),
      REFUSED,
    ),
    made("a space is added", (good) => ({ [text]: good[text].replace(":", ": ") }), REFUSED),
    made("a line end is added", (good) => ({ [text]: `${good[text]}\n` }), REFUSED),
    made(
      "a bit of the signature is flipped",
      (good) => ({ [signature]: hexOf(flipped(bytesOf(good[signature]), 40)) }),
      REFUSED,
    ),
    made("a signature of zeros", () => ({ [signature]: "0".repeat(128) }), REFUSED),
    made(
      "the other document's signature",
      (good) => ({ [signature]: good[text === "tcb_info" ? "qe_identity_signature" : "tcb_info_signature"] }),
      REFUSED,
    ),
    made(
      "a signature of 63 bytes",
      (good) => ({ [signature]: good[signature].slice(2) }),
      refused(document.malformed, NOT_SUBMITTABLE),
    ),
    made(
      "a signature that is no hex",
      (good) => ({ [signature]: good[signature].replace(/^./, "g") }),
      refused(document.malformed, NOT_SUBMITTABLE),
    ),
  ]
}

function formCases(document: Document): readonly Case[] {
  const MALFORMED = refused(document.malformed, "MalformedJson")
  const members = (name: string, changes: Readonly<Record<string, unknown>>) =>
    simulated("5 form", `${document.name}: ${name}`, { collateral: document.members(changes) }, MALFORMED)
  const rewritten = (name: string, rewrite: (text: string) => string, expected: Expected = MALFORMED) =>
    simulated("5 form", `${document.name}: ${name}`, { collateral: document.rewritten(rewrite) }, expected)
  return [
    rewritten("as Intel writes it", (text) => text, accepted()),
    members("of SGX", { id: document === TCB_INFO ? "SGX" : "QE" }),
    members("version 1", { version: 1 }),
    members("version 4", { version: 4 }),
    members("a version in quotation marks", { version: "3" }),
    members("no levels", { tcbLevels: [] }),
    members("an evaluation number of 65,536", { tcbEvaluationDataNumber: 65_536 }),
    members("a fractional evaluation number", { tcbEvaluationDataNumber: 20.5 }),
    members("a negative evaluation number", { tcbEvaluationDataNumber: -1 }),
    members("a member that Intel does not have", { comment: "" }),
    members("a missing issue date", { issueDate: undefined }),
    members("an issue date without a zone", { issueDate: "2026-10-05T00:00:00" }),
    members("an issue date with milliseconds", { issueDate: "2026-10-05T00:00:00.000Z" }),
    members("an issue date of 30 February", { issueDate: "2026-02-30T00:00:00Z" }),
    rewritten("no JSON", () => "Intel"),
    rewritten("no text", () => ""),
    rewritten("white space inside", (text) => text.replace(",", ", ")),
    rewritten("white space after it", (text) => `${text} `),
    rewritten("a member twice", (text) => text.replace('"version":', '"version":3,"version":')),
    rewritten("members in another order", (text) =>
      JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(text) as object).reverse())),
    ),
    rewritten("a status that does not exist", (text) => text.replace("UpToDate", "UpToDated")),
    rewritten("a status in lower case", (text) => text.replace("UpToDate", "uptodate")),
    rewritten("no status", (text) => text.replace(',"tcbStatus":"UpToDate"', "")),
    rewritten("no date of a level", (text) => text.replace(/"tcbDate":"[^"]*",/, "")),
    rewritten("a date of a level in 1999", (text) =>
      text.replace(/"tcbDate":"[^"]*"/, '"tcbDate":"1999-12-31T00:00:00Z"'),
    ),
    rewritten(
      "a date of a level in 2000",
      (text) => text.replace(/"tcbDate":"[^"]*"/, '"tcbDate":"2000-02-29T00:00:00Z"'),
      accepted(),
    ),
    rewritten("a date of a level that is none", (text) =>
      text.replace(/"tcbDate":"[^"]*"/, '"tcbDate":"yesterday"'),
    ),
    rewritten("an SVN with a leading zero", (text) => text.replace(/"isvsvn":/, '"isvsvn":0')),
    rewritten("an SVN in quotation marks", (text) => text.replace(/"isvsvn":(\d+)/, '"isvsvn":"$1"')),
    rewritten("a negative SVN", (text) => text.replace(/"isvsvn":/, '"isvsvn":-')),
    rewritten("an SVN in exponent form", (text) => text.replace(/"isvsvn":(\d+)/, '"isvsvn":$1e0')),
  ]
}

function dateCases(document: Document): readonly Case[] {
  const dates = (name: string, changes: Readonly<Record<string, unknown>>, expected: Expected) =>
    simulated("5 dates", `${document.name}: ${name}`, { collateral: document.members(changes) }, expected)
  return [
    dates("the first second", { issueDate: iso(TIME) }, accepted()),
    dates("the last second", { nextUpdate: iso(TIME) }, accepted()),
    dates("it ran out a second ago", { nextUpdate: iso(TIME - 1) }, refused(document.expired, "Expired")),
    dates("it begins in a second", { issueDate: iso(TIME + 1) }, refused(document.early, "NotYetValid")),
  ]
}

const floor = (
  name: string,
  collateral: CollateralKnobs,
  floors: { tcb: number; qe: number },
  expected: Expected,
) => simulated("5 floor", name, { collateral, floors }, expected)

const floors: readonly Case[] = [
  floor("both at the floor", {}, { tcb: 20, qe: 20 }, accepted()),
  floor("both above the floor", {}, { tcb: 0, qe: 0 }, accepted()),
  floor(
    "numbers that differ, each above its floor",
    { evaluationNumber: 20, qeEvaluationNumber: 19 },
    { tcb: 20, qe: 19 },
    accepted(),
  ),
  floor("the largest number", { evaluationNumber: 65_535 }, { tcb: 65_535, qe: 65_535 }, accepted()),
  floor(
    "TCB info one below its floor",
    {},
    { tcb: 21, qe: 20 },
    refused("TCB_INFO_BELOW_FLOOR", "NoCurrentTcbInfo"),
  ),
  floor(
    "QE identity one below its floor",
    {},
    { tcb: 20, qe: 21 },
    refused("QE_IDENTITY_BELOW_FLOOR", "NoCurrentQeIdentity"),
  ),
]

const platform = (name: string, scene: Scene, expected: Expected) =>
  simulated("5 platform", name, scene, expected)
const OTHER_PLATFORM = refused("TCB_INFO_FMSPC", "NoCurrentTcbInfo")

const platforms: readonly Case[] = [
  platform("FMSPC in lower case", { collateral: { fmspc: "b0c06f000000" } }, accepted()),
  platform("TCB info of another FMSPC", { collateral: { fmspc: "90C06F000000" } }, OTHER_PLATFORM),
  platform("a machine of another FMSPC", { machine: { fmspc: "0xb0c06f000001" } }, OTHER_PLATFORM),
  platform(
    "TCB info of another PCE",
    { collateral: { pceId: "0001" } },
    refused("TCB_INFO_PCE", "MalformedJson"),
  ),
  platform(
    "a machine of another PCE",
    { machine: { pceId: "0x0001" } },
    refused("TCB_INFO_PCE", "UnknownPce"),
  ),
]

const level = DEFAULT_LEVELS[0]
const modules = DEFAULT_MODULES
const shape = (
  name: string,
  collateral: CollateralKnobs,
  expected = refused("TCB_INFO_MALFORMED", "MalformedJson"),
) => simulated("5 form", `TCB info: ${name}`, { collateral }, expected)

const moduleOne = { id: "TDX_01", levels: [{ isvSvn: 1, status: "UpToDate" }] } as const
/** Identities of modules that Intel does not sign itself, or does not judge. */
const FOREIGN_MODULES: readonly (readonly [name: string, knobs: CollateralKnobs])[] = [
  [
    "a module mask that lets every attribute pass",
    { modules: [{ ...moduleOne, attributesMask: "0".repeat(16) }] },
  ],
  ["a module mask in lower case", { modules: [{ ...moduleOne, attributesMask: "f".repeat(16) }] }],
  ["a signer of modules without identity", { module: { mrSigner: "01".repeat(48) } }],
  ["a mask of modules without identity", { module: { attributesMask: "0".repeat(16) } }],
]

const tcbInfoShapes: readonly Case[] = level
  ? [
      shape("an SGX component of 256", { levels: [{ ...level, sgx: [256, ...level.sgx.slice(1)] }] }),
      shape("a TDX component of 256", { levels: [{ ...level, tdx: [...level.tdx.slice(0, 15), 256] }] }),
      shape("15 SGX components", { levels: [{ ...level, sgx: level.sgx.slice(1) }] }),
      shape("17 TDX components", { levels: [{ ...level, tdx: [...level.tdx, 0] }] }),
      shape("a PCE SVN of 65,536", { levels: [{ ...level, pceSvn: 65_536 }] }),
      shape("a module SVN of 256", {
        modules: [{ id: "TDX_01", levels: [{ isvSvn: 256, status: "UpToDate" }] }],
      }),
      shape("no module identities", { modules: [] }),
      shape("a module without levels", { modules: [{ id: "TDX_01", levels: [] }] }),
      shape("a module identity twice", { modules: [...modules, ...modules.slice(-1)] }),
      shape("a module name in lower case", {
        modules: [{ id: "TDX_0b", levels: [{ isvSvn: 1, status: "UpToDate" }] }, ...modules],
      }),
      shape("a module name without number", {
        modules: [{ id: "TDX", levels: [{ isvSvn: 1, status: "UpToDate" }] }],
      }),
      shape("type 1", { tcbInfoMembers: { tcbType: 1 } }),
      shape("no TDX module", { tcbInfoMembers: { tdxModule: undefined } }),
      ...FOREIGN_MODULES.map(([name, knobs]) => shape(name, knobs)),
      simulated(
        "5 form",
        "TCB info: an advisory that is no text",
        { collateral: { tcbInfoText: (text) => text.replace('"INTEL-SA-01245"', "1245") } },
        unseenOnChain(
          "TCB_INFO_MALFORMED",
          "the contract skips lists of advisories, which it does not judge",
        ),
      ),
      shape(
        "advisories on a current level",
        { levels: [{ ...level, advisories: ["INTEL-DOC-10000"] }] },
        accepted(),
      ),
      shape("an empty list of advisories", { levels: [{ ...level, advisories: [] }] }, accepted()),
    ]
  : []

export const documentCases: readonly Case[] = [
  ...[TCB_INFO, QE_IDENTITY].flatMap((document) => [
    ...signatureCases(document),
    ...formCases(document),
    ...dateCases(document),
  ]),
  ...tcbInfoShapes,
  ...floors,
  ...platforms,
]
