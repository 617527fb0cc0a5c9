/** Checklist line 1: header, lengths and layout. */
import { type Evidence, evidenceOf } from "@twinlock/sdk/attestation/evidence"
import { concatBytes, keccak, utf8ToBytes } from "@twinlock/sdk/protocol/codec"
import { NOT_SUBMITTABLE } from "../cutEvidence.ts"
import { accepted, type Case, type Expected, refused, unseenOnChain } from "./case.ts"
import { constructed, inputOf, simulated } from "./scene.ts"

const NOT_IN_EVIDENCE = "the contract takes the parts of a quote, without their announced lengths and types"

const zeros = (length: number) => new Uint8Array(length)

const lengths: readonly Case[] = [
  simulated("1 length", "a version 4 quote", {}, accepted()),
  simulated(
    "1 length",
    "zero padding after the quote",
    { quote: { layout: { trailing: zeros(70) } } },
    accepted(),
  ),
  simulated(
    "1 length",
    "64 bytes after the quote",
    { quote: { layout: { trailing: zeros(64).fill(0xaa) } } },
    unseenOnChain("QUOTE_TRAILING", "what stands after the quote is not submitted"),
  ),
  simulated(
    "1 length",
    "one byte after the padding",
    { quote: { layout: { trailing: zeros(70).fill(1, 69) } } },
    unseenOnChain("QUOTE_TRAILING", "what stands after the quote is not submitted"),
  ),
  ...[0, 1, 47, 48, 631, 635, 700, 1_200].map((length) =>
    simulated(
      "1 length",
      `cut after ${length} bytes`,
      { bytes: (quote) => quote.slice(0, length) },
      refused("QUOTE_LENGTH", NOT_SUBMITTABLE),
    ),
  ),
  simulated(
    "1 length",
    "cut by one byte",
    { bytes: (quote) => quote.slice(0, -1) },
    unseenOnChain("QUOTE_LENGTH", NOT_IN_EVIDENCE),
  ),
  ...(["authLength", "certificationLength", "chainLength"] as const).flatMap((name) =>
    [0, 0xffff_ffff].map((value) =>
      simulated(
        "1 length",
        `${name} announces ${value} bytes`,
        { quote: { layout: { [name]: value } } },
        unseenOnChain(
          name === "authLength" && value === 0 ? "QUOTE_TRAILING" : "QUOTE_LENGTH",
          NOT_IN_EVIDENCE,
        ),
      ),
    ),
  ),
  simulated(
    "1 length",
    "bytes between certification data and end",
    { quote: { layout: { surplus: zeros(3) } } },
    unseenOnChain("QUOTE_LENGTH", NOT_IN_EVIDENCE),
  ),
  simulated(
    "1 length",
    "QE authentication data announced one byte short",
    { quote: { layout: { qeAuthLength: 31 } } },
    refused("QUOTE_CERTIFICATION_TYPE", "AttestationKeyNotBound"),
  ),
  ...[0, 1, 64, 1_000].map((length) =>
    simulated(
      "1 length",
      `${length} bytes of QE authentication data`,
      { quote: { qe: { authData: zeros(length).fill(7) } } },
      accepted(),
    ),
  ),
  simulated(
    "1 length",
    "12,000 bytes of QE authentication data",
    { quote: { qe: { authData: zeros(12_000) } } },
    unseenOnChain("QUOTE_LENGTH", "the limit guards readers of quotes; whoever submits pays for each byte"),
  ),
]

const headers: readonly Case[] = [
  simulated("1 version", "version 4", { quote: { version: 4 } }, accepted()),
  simulated("1 version", "version 5", { quote: { version: 5 } }, accepted()),
  ...[0, 1, 2, 3, 6, 0x0104, 0xffff].map((version) =>
    simulated(
      "1 version",
      `version ${version}`,
      { quote: { header: { version } } },
      refused("QUOTE_VERSION", "UnsupportedQuoteVersion"),
    ),
  ),
  simulated("1 key type", "ECDSA over P-256", { quote: { header: { attestationKeyType: 2 } } }, accepted()),
  ...[0, 1, 3, 0x0202].map((attestationKeyType) =>
    simulated(
      "1 key type",
      `attestation key type ${attestationKeyType}`,
      { quote: { header: { attestationKeyType } } },
      refused("QUOTE_KEY_TYPE", "UnsupportedAttestationKey"),
    ),
  ),
  simulated("1 tee type", "TDX", { quote: { header: { teeType: 0x81 } } }, accepted()),
  ...[0, 1, 0x80, 0x82, 0x0181, 0x81000000].map((teeType) =>
    simulated(
      "1 tee type",
      `TEE type 0x${teeType.toString(16)}`,
      { quote: { header: { teeType } } },
      refused("QUOTE_TEE_TYPE", "NotTdx"),
    ),
  ),
  simulated(
    "1 vendor",
    "SVNs and user data in the header, which nothing judges",
    { quote: { header: { qeSvn: 9, pceSvn: 9, userData: "0x0102" } } },
    accepted(),
  ),
  ...(["0x00", "0x939a7233f79c4ca9940a0db3957f0608", "0x839a7233f79c4ca9940a0db3957f0607"] as const).map(
    (qeVendorId) =>
      simulated(
        "1 vendor",
        `vendor ${qeVendorId}`,
        { quote: { header: { qeVendorId } } },
        refused("QUOTE_VENDOR", "UnknownQeVendor"),
      ),
  ),
]

const bodies: readonly Case[] = [
  simulated("1 body", "version 5 with a TD 1.5 body", { quote: { version: 5, body: "td15" } }, accepted()),
  simulated("1 body", "version 5 with a TD 1.0 body", { quote: { version: 5, body: "td10" } }, accepted()),
  simulated(
    "1 body",
    "another second SVN array in TD 1.5",
    { quote: { version: 5, teeTcbSvn2: "0xffffffffffffffffffffffffffffffff" } },
    accepted(),
  ),
  ...[0, 1, 2, 4, 0x0103].map((bodyType) =>
    simulated(
      "1 body",
      `a TD 1.5 body announced as type ${bodyType}`,
      { quote: { version: 5, layout: { bodyType } } },
      refused("QUOTE_BODY_TYPE", "UnsupportedBody"),
    ),
  ),
  simulated(
    "1 body",
    "a TD 1.0 body announced as type 3",
    { quote: { version: 5, body: "td10", layout: { bodyType: 3 } } },
    refused("QUOTE_BODY_TYPE", "UnsupportedBody"),
  ),
  ...[584, 647, 649].map((bodyLength) =>
    simulated(
      "1 body",
      `a TD 1.5 body announced with ${bodyLength} bytes`,
      { quote: { version: 5, layout: { bodyLength } } },
      refused("QUOTE_BODY_TYPE", "UnsupportedBody"),
    ),
  ),
]

const certification: readonly Case[] = [
  simulated(
    "1 certification",
    "type 6 around type 5",
    { quote: { layout: { certificationType: 6, chainType: 5 } } },
    accepted(),
  ),
  ...[1, 4, 5, 7].map((certificationType) =>
    simulated(
      "1 certification",
      `outer type ${certificationType}`,
      { quote: { layout: { certificationType } } },
      unseenOnChain("QUOTE_CERTIFICATION_TYPE", NOT_IN_EVIDENCE),
    ),
  ),
  ...[1, 3, 4, 6].map((chainType) =>
    simulated(
      "1 certification",
      `inner type ${chainType}`,
      { quote: { layout: { chainType } } },
      unseenOnChain("QUOTE_CERTIFICATION_TYPE", NOT_IN_EVIDENCE),
    ),
  ),
]

/** The parts of a good quote, as a contract's caller may bend them. */
const parts = (name: string, change: (good: Evidence) => Partial<Evidence>, expected: Expected): Case =>
  constructed(
    "1 length",
    `as parts: ${name}`,
    () => {
      const input = inputOf({})
      if (input.subject.kind !== "quote") throw new Error("the scene gives whole quotes")
      const evidence = evidenceOf(input.subject.bytes)
      return { ...input, subject: { kind: "evidence", evidence: { ...evidence, ...change(evidence) } } }
    },
    expected,
  )

const evidence: readonly Case[] = [
  parts("as they are", () => ({}), accepted()),
  parts(
    "a body cut by a byte",
    ({ quote }) => ({ quote: quote.slice(0, -1) }),
    refused("QUOTE_LENGTH", "WrongQuoteLength"),
  ),
  parts(
    "a body with a byte after it",
    ({ quote }) => ({ quote: concatBytes(quote, zeros(1)) }),
    refused("QUOTE_LENGTH", "WrongQuoteLength"),
  ),
  parts("no body", () => ({ quote: zeros(0) }), refused("QUOTE_LENGTH", "UnsupportedQuoteVersion")),
  parts(
    "authentication cut inside its fixed part",
    ({ auth }) => ({ auth: auth.slice(0, 575) }),
    refused("QUOTE_LENGTH", "WrongAuthLength"),
  ),
  parts("no authentication", () => ({ auth: zeros(0) }), refused("QUOTE_LENGTH", "WrongAuthLength")),
  parts(
    "authentication data cut by a byte",
    ({ auth }) => ({ auth: auth.slice(0, -1) }),
    refused("QE_REPORT_BINDING", "AttestationKeyNotBound"),
  ),
  parts(
    "authentication with a byte after it",
    ({ auth }) => ({ auth: concatBytes(auth, zeros(1)) }),
    refused("QE_REPORT_BINDING", "AttestationKeyNotBound"),
  ),
  parts(
    "a leaf cut by a byte",
    ({ pckLeaf }) => ({ pckLeaf: pckLeaf.slice(0, -1) }),
    refused("CERTIFICATE_MALFORMED", "MalformedDer"),
  ),
  parts(
    "a leaf with a byte after it",
    ({ pckLeaf }) => ({ pckLeaf: concatBytes(pckLeaf, zeros(1)) }),
    refused("CERTIFICATE_MALFORMED", "MalformedDer"),
  ),
  parts("a CA that nobody stored", () => ({ caId: keccak(zeros(64)) }), refused("CHAIN_ISSUER", "UnknownCa")),
]

export const layoutCases: readonly Case[] = [
  ...lengths,
  ...evidence,
  ...headers,
  ...bodies,
  ...certification,
  simulated(
    "1 version",
    "report data of 64 bytes",
    { quote: { reportData: utf8ToBytes("x".repeat(64)) } },
    accepted(),
  ),
]
