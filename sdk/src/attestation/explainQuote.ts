/** Diagnosis of a quote's layout and of the certificates that it carries: checklist lines 1 and 2. */
import { toHex } from "../protocol/codec.ts"
import { isProtocolError } from "../protocol/errors.ts"
import {
  type AuthorityChain,
  PCK,
  type PckCertificate,
  verifyAuthorityChain,
  verifyPckCertificate,
} from "./chain.ts"
import { attestationError } from "./errors.ts"
import { type CollateralContext, type ExplainedCollateral, pinned } from "./explainCollateral.ts"
import { explainRevocation, explainValidity } from "./explainTerms.ts"
import { type Line, named, type Trace } from "./explainTrace.ts"
import { parseQuote, QE_VENDOR, QUOTE_LIMIT, type Quote } from "./quote.ts"
import { authorityOf } from "./underRoot.ts"

const little = (bytes: Uint8Array, at: number, length: number): string => {
  if (bytes.length < at + length) return "missing"
  return String(bytes.slice(at, at + length).reduceRight((value, byte) => value * 256 + byte, 0))
}
const hexAt = (bytes: Uint8Array, at: number, length: number): string =>
  bytes.length < at + length ? "missing" : toHex(bytes.slice(at, at + length))

function teeType(bytes: Uint8Array): string {
  const value = little(bytes, 4, 4)
  if (value === "missing") return value
  const names: Readonly<Record<string, string>> = { "0": " (SGX)", "129": " (TDX)" }
  return `0x${Number(value).toString(16)}${names[value] ?? ""}`
}

const bodyKind = (bytes: Uint8Array): string =>
  little(bytes, 0, 2) === "5"
    ? `type ${little(bytes, 48, 2)}, ${little(bytes, 50, 4)} bytes`
    : "584 bytes (version 4 has no other)"

const lineOf = (
  id: string,
  title: string,
  expected: string,
  found: Line<Quote>["found"],
  ...codes: Line<Quote>["codes"]
): Line<Quote> => ({ id: `quote.${id}`, title, expected, found, codes })

/** Line 1. @returns the parsed quote. */
export function explainLayout(trace: Trace, bytes: Uint8Array): Quote | null {
  const size = lineOf("size", "size", `at most ${QUOTE_LIMIT} bytes`, `${bytes.length} bytes`)
  const length = lineOf(
    "length",
    "exact length",
    "every length fits, only zero padding behind",
    (quote) => `${quote.signedBytes.length} bytes signed of ${bytes.length}`,
    "QUOTE_LENGTH",
    "QUOTE_TRAILING",
  )
  const fields = [
    lineOf("version", "quote version", "4 or 5", little(bytes, 0, 2), "QUOTE_VERSION"),
    lineOf("key-type", "attestation key type", "2 (ECDSA P-256)", little(bytes, 2, 2), "QUOTE_KEY_TYPE"),
    lineOf("tee-type", "tee type", "0x81 (TDX)", teeType(bytes), "QUOTE_TEE_TYPE"),
    lineOf("vendor", "quoting enclave vendor", `${QE_VENDOR} (Intel)`, hexAt(bytes, 12, 16), "QUOTE_VENDOR"),
    lineOf("body", "TD report", "TD 1.0 (584 bytes) or TD 1.5 (648)", bodyKind(bytes), "QUOTE_BODY_TYPE"),
    lineOf(
      "certification",
      "certification data",
      "type 6 holding type 5",
      () => "type 6 holding type 5",
      "QUOTE_CERTIFICATION_TYPE",
    ),
    lineOf(
      "pem",
      "certificates as PEM",
      "certificate blocks only",
      ({ chain }) => `${chain.length} certificates`,
      "PEM_MALFORMED",
    ),
  ]
  const short = failsByLength(bytes)
  return trace.step({
    item: 1,
    needs: {},
    run: () => parseQuote(bytes),
    // Whatever does not fit ends the reading at once; otherwise the length is the last thing that is known.
    lines:
      bytes.length > QUOTE_LIMIT
        ? [{ ...size, codes: ["QUOTE_LENGTH"] }, ...fields]
        : short
          ? [size, length, ...fields]
          : [size, ...fields, length],
  })
}

function failsByLength(bytes: Uint8Array): boolean {
  try {
    parseQuote(bytes)
    return false
  } catch (error) {
    return isProtocolError(error, "QUOTE_LENGTH", "QUOTE_TRAILING")
  }
}

export type ExplainedChain = {
  readonly issuers: AuthorityChain | null
  /** Genuine; whether it is current, the trace says. */
  readonly leaf: PckCertificate | null
}

/** The quote's own certificates, checklist lines 2 and 3 in the order of the verifier. */
export function explainPckChain(
  { trace, anchor, terms }: CollateralContext,
  quote: Quote | null,
  collateral: ExplainedCollateral,
): ExplainedChain {
  const chain = trace.step({
    item: 2,
    needs: { "the quote": quote },
    run: (given) => {
      const [leaf, ...issuers] = given["the quote"].chain
      if (!leaf || issuers.length !== 2)
        throw attestationError(
          "CHAIN_LENGTH",
          `a PCK chain has three certificates, got ${given["the quote"].chain.length}`,
        )
      return { leaf, issuers }
    },
    lines: [
      named("chain.length", "quote: length of the chain", {
        expected: "PCK, its authority, root",
        found: () => "three certificates",
      }),
    ],
  })
  const known = collateral.issuers
  const issuers = trace.step({
    item: 2,
    needs: { "the quote's certificates": chain },
    // Without good collateral the quote's own authorities can still be judged.
    run: (given) =>
      known === null
        ? verifyAuthorityChain(given["the quote's certificates"].issuers, anchor)
        : authorityOf(given["the quote's certificates"].issuers, known, anchor),
    lines: [
      named<AuthorityChain>("chain.root", "quote: root key", {
        expected: pinned(anchor),
        found: () => pinned(anchor),
        codes: ["ROOT_MISMATCH"],
      }),
      named<AuthorityChain>("chain.authority", "quote: PCK authority and root", {
        expected: "Intel's names, roles, signatures; as in the CRL",
        found: ({ authority }) => authority.commonName,
      }),
    ],
  })
  const leaf = trace.step({
    item: 2,
    needs: { "the quote's certificates": chain, "its PCK authority": issuers },
    run: (given) =>
      verifyPckCertificate(
        given["the quote's certificates"].leaf,
        given["its PCK authority"].authority,
        anchor.verify,
      ),
    lines: [
      named<PckCertificate>("chain.leaf-format", "PCK certificate: well-formed", {
        expected: "X.509 with Intel's SGX extension",
        found: ({ serial }) => `serial ${serial}`,
        codes: ["CERTIFICATE_MALFORMED"],
      }),
      named<PckCertificate>("chain.leaf-role", "PCK certificate: role", {
        expected: PCK,
        found: ({ commonName }) => commonName,
        codes: ["CHAIN_SUBJECT", "CHAIN_END_ENTITY"],
      }),
      named<PckCertificate>("chain.leaf-signature", "PCK certificate: issuer", {
        expected: issuers?.authority.commonName ?? "its authority",
        found: () => "named and signed",
        codes: ["CHAIN_ISSUER", "CHAIN_SIGNATURE"],
      }),
      named<PckCertificate>("chain.leaf-platform", "PCK certificate: names its platform", {
        expected: "Intel's SGX extension",
        found: ({ sgx }) => `FMSPC ${sgx.fmspc}`,
        codes: ["PCK_EXTENSION_MISSING"],
      }),
    ],
  })
  const { time } = terms
  explainValidity(trace, 2, "chain.root-validity", "quote's root", issuers?.root ?? null, time)
  explainValidity(
    trace,
    2,
    "chain.authority-validity",
    "quote's PCK authority",
    issuers?.authority ?? null,
    time,
  )
  explainValidity(trace, 2, "chain.leaf-validity", "PCK certificate", leaf, time)
  const authority = issuers?.authority ?? null
  const { rootCrl, pckCrl } = collateral
  explainRevocation(
    trace,
    "chain.authority-revocation",
    "quote's PCK authority",
    authority,
    rootCrl,
    "PCK_CA_REVOKED",
  )
  explainRevocation(trace, "chain.leaf-revocation", "PCK certificate", leaf, pckCrl, "PCK_REVOKED")
  explainRevocation(
    trace,
    "chain.leaf-root-revocation",
    "PCK certificate, by the root",
    leaf,
    rootCrl,
    "PCK_REVOKED",
  )
  return { issuers, leaf }
}
