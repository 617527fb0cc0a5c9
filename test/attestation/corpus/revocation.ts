/** Checklist line 3: the two revocation lists and the serials on them. */
import * as der from "@twinlock/devnet/platform/der"
import { impostor, malleated, tampered } from "@twinlock/devnet/platform/keys"
import {
  type CrlFields,
  distinguishedName,
  extension,
  PLATFORM_CA,
  PROCESSOR_CA,
} from "@twinlock/devnet/platform/pki"
import type { CollateralBundle } from "@twinlock/sdk/attestation/collateralBundle"
import { utf8ToBytes } from "@twinlock/sdk/protocol/codec"
import { NOT_SUBMITTABLE } from "../cutEvidence.ts"
import { accepted, type Case, type ChecklistLine, refused, refusedOnChain } from "./case.ts"
import {
  ALICE,
  DAY,
  flipped,
  foreignName,
  GOOD,
  keyOf,
  NOW,
  otherSerial,
  type Scene,
  simulated,
} from "./scene.ts"

const TIME = NOW + DAY
const MALFORMED = refused("CRL_MALFORMED", "MalformedDer")

type List = {
  readonly line: ChecklistLine
  readonly issuer: typeof GOOD.root
  readonly member: "root_ca_crl" | "pck_crl"
  readonly scene: (fields: Partial<CrlFields>) => Scene
  /** The name of another authority of the same root. */
  readonly otherName: string
}

const ROOT: List = {
  line: "3 root crl",
  issuer: GOOD.root,
  member: "root_ca_crl",
  scene: (rootCrl) => ({ collateral: { rootCrl } }),
  otherName: PLATFORM_CA,
}
const PCK: List = {
  line: "3 pck crl",
  issuer: GOOD.platformCa,
  member: "pck_crl",
  scene: (pckCrl) => ({ collateral: { pckCrl } }),
  otherName: PROCESSOR_CA,
}

const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex")
const bytesOf = (hex: string) => new Uint8Array(Buffer.from(hex, "hex"))
const utc = (text: string) => der.tlv(0x17, utf8ToBytes(text))
const generalized = (text: string) => der.tlv(0x18, utf8ToBytes(text))
const others = Array.from({ length: 57 }, (_, index) => otherSerial(`revoked ${index}`))
/** Issuing distribution point: an indirect or partial list says so in it. */
const partial = extension("2.5.29.28", true, der.sequence())
const delta = extension("2.5.29.27", true, der.integer(1))
const invalidityDate = (critical: boolean) => extension("2.5.29.24", critical, generalized("20250101000000Z"))

function listCases(list: List): readonly Case[] {
  const { line, issuer, scene } = list
  const made = (name: string, fields: Partial<CrlFields>, expected: Case["expected"]) =>
    simulated(line, name, scene(fields), expected)
  const text = (name: string, change: (hex: string) => string, expected: Case["expected"]) => {
    const bundle = (good: CollateralBundle) => ({ [list.member]: change(good[list.member]) })
    return simulated(line, name, { bundle }, expected)
  }
  const signedBy = (key: typeof issuer.key) => ({ issuer: { ...issuer, key } })
  return [
    made("an empty list", { revoked: [] }, accepted()),
    made("57 serials of others", { revoked: others }, accepted()),
    made("entries without extensions", { revoked: others.slice(0, 2), entryExtensions: [] }, accepted()),
    made("the other form of the signature", signedBy(tampered(issuer.key, malleated)), accepted()),
    made("the first second", { thisUpdate: TIME }, accepted()),
    made("the last second", { nextUpdate: TIME }, accepted()),
    made("it ran out a second ago", { nextUpdate: TIME - 1 }, refused("CRL_EXPIRED", "Expired")),
    made("it begins in a second", { thisUpdate: TIME + 1 }, refused("CRL_NOT_YET_VALID", "NotYetValid")),
    made(
      "another signature",
      signedBy(tampered(issuer.key, (s) => flipped(s, 9))),
      refused("CRL_SIGNATURE", "InvalidSignature"),
    ),
    made(
      "signed by another key",
      signedBy(impostor(issuer.key, keyOf("other"))),
      refused("CRL_SIGNATURE", "InvalidSignature"),
    ),
    made(
      "signed by the TCB signer",
      signedBy(GOOD.tcbSigner.key),
      refused("CRL_SIGNATURE", "InvalidSignature"),
    ),
    made(
      "issued by another authority's name",
      { issuerName: distinguishedName(list.otherName) },
      refused("CRL_ISSUER", "UnexpectedIssuer"),
    ),
    made(
      "issued in the UK",
      { issuerName: foreignName(issuer.name) },
      refused("CRL_ISSUER", "UnexpectedIssuer"),
    ),
    text("no list at all", () => "", MALFORMED),
    text("garbage", () => "deadbeef", MALFORMED),
    text("no hex", (hex) => `zz${hex}`, refused("COLLATERAL_SHAPE", NOT_SUBMITTABLE)),
    text("a byte after it", (hex) => `${hex}00`, MALFORMED),
    text("cut by a byte", (hex) => hex.slice(0, -2), MALFORMED),
    text(
      "a bit of its issuer is flipped",
      (hex) => hexOf(flipped(bytesOf(hex), 60)),
      refused("CRL_ISSUER", "UnexpectedIssuer"),
    ),
    made("version 1", { version: 1 }, MALFORMED),
    made("a critical unknown extension", { extensions: [partial] }, MALFORMED),
    made("a delta list", { extensions: [delta] }, MALFORMED),
    made("an unknown extension", { extensions: [invalidityDate(false)] }, accepted()),
    made("a critical list number", { extensions: [extension("2.5.29.20", true, der.integer(1))] }, MALFORMED),
    made(
      "an entry with a critical extension",
      { revoked: others.slice(0, 1), entryExtensions: [invalidityDate(true)] },
      MALFORMED,
    ),
    made(
      "an entry with a critical reason",
      { revoked: others.slice(0, 1), entryExtensions: [extension("2.5.29.21", true, der.enumerated(1))] },
      MALFORMED,
    ),
    made(
      "dates as GeneralizedTime",
      { times: [generalized("20261005000000Z"), generalized("20270101000000Z")] },
      MALFORMED,
    ),
    made("no nextUpdate", { times: [utc("261005000000Z")] }, MALFORMED),
    made(
      "a serial that is negative",
      {
        revoked: [],
        extensions: [],
        times: [
          utc("261005000000Z"),
          utc("270101000000Z"),
          der.sequence(der.sequence(der.tlv(0x02, Uint8Array.of(0x81)), utc("261005000000Z"))),
        ],
      },
      MALFORMED,
    ),
  ]
}

const REVOKED = refused("PCK_REVOKED", "CertificateRevoked")
const CA_REVOKED = refused("PCK_CA_REVOKED", "CertificateRevoked")

/** Another serial with the same last 64 bits. */
const colliding = otherSerial("colliding")
colliding.set(ALICE.pckSerial.subarray(12), 12)

const serials: readonly Case[] = [
  simulated(
    "3 serials",
    "nothing of ours is revoked",
    { collateral: { revokedPck: others, revokedByRoot: others.slice(0, 3) } },
    accepted(),
  ),
  simulated(
    "3 serials",
    "the PCK certificate is revoked",
    { collateral: { revokedPck: [ALICE.pckSerial] } },
    REVOKED,
  ),
  simulated(
    "3 serials",
    "the PCK certificate is the last of 58",
    { collateral: { revokedPck: [...others, ALICE.pckSerial] } },
    REVOKED,
  ),
  simulated(
    "3 serials",
    "the PCK certificate is the first of 58",
    { collateral: { revokedPck: [ALICE.pckSerial, ...others] } },
    REVOKED,
  ),
  simulated(
    "3 serials",
    "the Platform CA is revoked",
    { collateral: { revokedByRoot: [GOOD.serials.platformCa] } },
    CA_REVOKED,
  ),
  simulated(
    "3 serials",
    "the Platform CA is the last of 58",
    { collateral: { revokedByRoot: [...others, GOOD.serials.platformCa] } },
    CA_REVOKED,
  ),
  simulated(
    "3 serials",
    "the PCK certificate stands on the root's list, which is not its issuer's",
    { collateral: { revokedByRoot: [ALICE.pckSerial] } },
    REVOKED,
  ),
  simulated(
    "3 serials",
    "a revoked serial shares its last 64 bits with ours",
    { collateral: { revokedPck: [colliding] } },
    refusedOnChain(
      "CertificateRevoked",
      "the contract keeps 64 bits of a serial; a chance collision refuses, never admits",
    ),
  ),
]

export const revocationCases: readonly Case[] = [...listCases(ROOT), ...listCases(PCK), ...serials]
