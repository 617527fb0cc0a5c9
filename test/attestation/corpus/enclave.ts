/** Checklist lines 6 and 7: the quoting enclave's report, and the signature over header and body. */
import { malleated, tampered } from "@twinlock/devnet/platform/keys"
import { bindingOf, type QeKnobs } from "@twinlock/devnet/platform/quote"
import { toHex } from "@twinlock/sdk/protocol/codec"
import { accepted, type Case, type Expected, refused } from "./case.ts"
import { ALICE, flipped, GOOD, keyOf, type Scene, simulated } from "./scene.ts"

const qe = (knobs: QeKnobs): Scene => ({ quote: { qe: knobs } })

/** Offsets in a version 4 quote. */
const AT = {
  header: 28,
  teeTcbSvn: 48,
  mrSeam: 64,
  mrTd: 184,
  mrConfigId: 233,
  rtMr0: 376,
  rtMr1: 424,
  rtMr2: 472,
  rtMr3: 520,
  reportData: 568,
  signature: 640,
  attestationKey: 700,
  qeReport: 770,
  qeReportSignature: 1_154,
  qeAuthData: 1_220,
} as const
const flippedAt = (offset: number): Scene => ({ bytes: (quote) => flipped(quote, offset) })
/** A tampered machine key in place of the machine's own. */
const pckKey = (change: (signature: Uint8Array) => Uint8Array): Scene => ({
  quote: { pckKey: tampered(ALICE.pckKey, change) },
})
const attestationKey = (change: (signature: Uint8Array) => Uint8Array): Scene => ({
  quote: { attestationKey: tampered(ALICE.attestationKey, change) },
})

const UNSIGNED_REPORT = refused("QE_REPORT_SIGNATURE", "InvalidQeReportSignature")
const UNBOUND = refused("QE_REPORT_BINDING", "AttestationKeyNotBound")
const UNSIGNED_BODY = refused("QUOTE_SIGNATURE", "InvalidQuoteSignature")

const reportSignatures: readonly (readonly [name: string, scene: Scene, expected: Expected])[] = [
  ["by the PCK key", {}, accepted()],
  ["in its other form", pckKey(malleated), accepted()],
  ["another one", pckKey((signature) => flipped(signature, 3)), UNSIGNED_REPORT],
  ["of zeros", pckKey((signature) => signature.map(() => 0)), UNSIGNED_REPORT],
  ["of ones", pckKey((signature) => signature.map(() => 0xff)), UNSIGNED_REPORT],
  ["by the attestation key", { quote: { pckKey: ALICE.attestationKey } }, UNSIGNED_REPORT],
  ["by another machine's PCK key", { quote: { pckKey: GOOD.machine("bob").pckKey } }, UNSIGNED_REPORT],
  ["a bit of it flipped", flippedAt(AT.qeReportSignature), UNSIGNED_REPORT],
  ["over a report that was edited", flippedAt(AT.qeReport), UNSIGNED_REPORT],
]

const binding = bindingOf(ALICE.attestationKey)
const tail = (at: number) => toHex(binding.map((byte, index) => (index === at ? 1 : byte)))

const bindings: readonly (readonly [name: string, scene: Scene, expected: Expected])[] = [
  ["the key and Intel's authentication data", {}, accepted()],
  ["another key's", qe({ reportData: toHex(bindingOf(keyOf("other"))) }), UNBOUND],
  [
    "the key without authentication data",
    qe({ reportData: toHex(bindingOf(ALICE.attestationKey, new Uint8Array(0))) }),
    UNBOUND,
  ],
  ["nothing", qe({ reportData: "0x00" }), UNBOUND],
  ["a tail that begins with one", qe({ reportData: tail(32) }), UNBOUND],
  ["a tail that ends with one", qe({ reportData: tail(63) }), UNBOUND],
  ["authentication data edited afterwards", flippedAt(AT.qeAuthData), UNBOUND],
  ["an attestation key edited afterwards", flippedAt(AT.attestationKey), UNBOUND],
]

const ENCLAVE_SIGNER = "0xdc9e2a7c6f948f17474e34a7fc43ed030f7c1563f1babddf6340c82e0e54a8c5"
const other = (code: "QE_SIGNER" | "QE_PRODUCT" | "QE_ATTRIBUTES" | "QE_MISC_SELECT") =>
  refused(code, "NotTheQuotingEnclave")

const identities: readonly (readonly [name: string, scene: Scene, expected: Expected])[] = [
  ["Intel's TD quoting enclave", qe({ mrSigner: ENCLAVE_SIGNER, isvProdId: 2 }), accepted()],
  [
    "attributes under the zero part of the mask",
    qe({ attributes: "0x1500000000000000ffffffffffffffff" }),
    accepted(),
  ],
  [
    "another signer",
    qe({ mrSigner: "0xdc9e2a7c6f948f17474e34a7fc43ed030f7c1563f1babddf6340c82e0e54a8c4" }),
    other("QE_SIGNER"),
  ],
  ["no signer", qe({ mrSigner: "0x00" }), other("QE_SIGNER")],
  ["the SGX quoting enclave's product", qe({ isvProdId: 1 }), other("QE_PRODUCT")],
  ["product 0x0102", qe({ isvProdId: 0x0102 }), other("QE_PRODUCT")],
  ["the debug attribute", qe({ attributes: "0x1700000000000000e700000000000000" }), other("QE_ATTRIBUTES")],
  ["no INIT attribute", qe({ attributes: "0x1400000000000000e700000000000000" }), other("QE_ATTRIBUTES")],
  [
    "a provisioning key attribute missing",
    qe({ attributes: "0x0500000000000000e700000000000000" }),
    other("QE_ATTRIBUTES"),
  ],
  [
    "the last attribute of the mask",
    qe({ attributes: "0x1500000000000080e700000000000000" }),
    other("QE_ATTRIBUTES"),
  ],
  ["a MISCSELECT bit", qe({ miscSelect: "0x01000000" }), other("QE_MISC_SELECT")],
  ["the last MISCSELECT bit", qe({ miscSelect: "0x00000080" }), other("QE_MISC_SELECT")],
]

const svns: readonly Case[] = [
  simulated("6 level", "the level's own SVN", qe({ isvSvn: 4 }), accepted()),
  simulated("6 level", "the largest SVN", qe({ isvSvn: 0xffff }), accepted()),
  simulated("6 level", "an SVN of two bytes", qe({ isvSvn: 0x0100 }), accepted()),
  simulated(
    "6 level",
    "one below the only level",
    qe({ isvSvn: 3 }),
    refused("QE_TCB_LEVEL", "QuotingEnclaveBelowEveryLevel"),
  ),
  simulated(
    "6 level",
    "SVN zero",
    qe({ isvSvn: 0 }),
    refused("QE_TCB_LEVEL", "QuotingEnclaveBelowEveryLevel"),
  ),
  simulated(
    "6 level",
    "the second of two levels",
    {
      ...qe({ isvSvn: 4 }),
      collateral: {
        qeLevels: [
          { isvSvn: 5, status: "UpToDate" },
          { isvSvn: 4, status: "OutOfDate", advisories: ["INTEL-SA-00001"] },
        ],
      },
    },
    accepted("OutOfDate"),
  ),
]

const bodySignatures: readonly Case[] = [
  simulated("7 signature", "by the attestation key", {}, accepted()),
  simulated("7 signature", "in its other form", attestationKey(malleated), accepted()),
  simulated(
    "7 signature",
    "another one",
    attestationKey((signature) => flipped(signature, 3)),
    UNSIGNED_BODY,
  ),
  simulated(
    "7 signature",
    "of zeros",
    attestationKey((signature) => signature.map(() => 0)),
    UNSIGNED_BODY,
  ),
  simulated(
    "7 signature",
    "r of the order",
    attestationKey((signature) => signature.map((byte, at) => (at < 32 ? 0xff : byte))),
    UNSIGNED_BODY,
  ),
  simulated(
    "7 signature",
    "s of zero",
    attestationKey((signature) => signature.map((byte, at) => (at < 32 ? byte : 0))),
    UNSIGNED_BODY,
  ),
  simulated("7 signature", "a bit of it flipped", flippedAt(AT.signature), UNSIGNED_BODY),
  simulated(
    "7 signature",
    "a bound attestation key that is no point",
    { quote: { attestationKey: { ...ALICE.attestationKey, publicKey: new Uint8Array(64).fill(2) } } },
    UNSIGNED_BODY,
  ),
  simulated(
    "7 signature",
    "a bound attestation key of zeros",
    { quote: { attestationKey: { ...ALICE.attestationKey, publicKey: new Uint8Array(64) } } },
    UNSIGNED_BODY,
  ),
  ...(
    [
      "header",
      "teeTcbSvn",
      "mrSeam",
      "mrTd",
      "mrConfigId",
      "rtMr0",
      "rtMr1",
      "rtMr2",
      "rtMr3",
      "reportData",
    ] as const
  ).map((field) =>
    simulated("7 signature", `${field} edited afterwards`, flippedAt(AT[field]), UNSIGNED_BODY),
  ),
  simulated(
    "7 signature",
    "the last byte of a TD 1.5 body edited afterwards",
    { quote: { version: 5 }, bytes: (quote) => flipped(quote, 637) },
    UNSIGNED_BODY,
  ),
]

export const enclaveCases: readonly Case[] = [
  ...reportSignatures.map(([name, scene, expected]) => simulated("6 signature", name, scene, expected)),
  ...bindings.map(([name, scene, expected]) => simulated("6 binding", name, scene, expected)),
  ...identities.map(([name, scene, expected]) => simulated("6 identity", name, scene, expected)),
  ...svns,
  ...bodySignatures,
]
