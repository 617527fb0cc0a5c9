/** Why another verifier differs from ours: the first reason that fits a difference is its reason. */
import type { Difference, OtherName } from "./differences.ts"

export type Reason = {
  readonly text: string
  /** True where ours accepts what theirs refuses: a valid form that theirs cannot read, or a rule of Intel's. */
  readonly theirsIsNarrower: boolean
}

type Rule = Reason & {
  readonly other: OtherName | "both"
  readonly fits: (difference: Difference) => boolean
}

const code =
  (...prefixes: readonly string[]) =>
  ({ ours, oursAccepts }: Difference) =>
    !oursAccepts && prefixes.some((prefix) => ours.startsWith(prefix))

const refusal =
  (...parts: readonly string[]) =>
  ({ oursAccepts, theirs }: Difference) =>
    oursAccepts && parts.some((part) => theirs.includes(part))

const laxer = (other: Rule["other"], text: string, fits: Rule["fits"]): Rule => ({
  other,
  text,
  fits,
  theirsIsNarrower: false,
})
const narrower = (other: Rule["other"], text: string, fits: Rule["fits"]): Rule => ({
  other,
  text,
  fits,
  theirsIsNarrower: true,
})

const onMerge = ({ item }: Difference) => item.line === "8 merge"
const moduleWasWorse = ({ item }: Difference) =>
  item.line === "8 module" || /module (?!UpToDate)/.test(item.name)

export const REASONS: readonly Rule[] = [
  narrower("web", "Ours is wider on purpose: it does not read version 5", refusal("Failed to decode quote")),
  narrower(
    "js",
    "Ours is wider on purpose: it hashes a buffer of 96 bytes, so that it reads QE authentication data of 32 bytes alone",
    refusal("QE report hash mismatch"),
  ),
  narrower(
    "web",
    "Ours is wider on purpose: it panics on QE authentication data of other lengths than 32 bytes",
    refusal("unreachable"),
  ),
  narrower(
    "web",
    "Ours is wider on purpose: the last second of a list is its nextUpdate, as for every other date; it ends a second earlier",
    ({ item, oursAccepts }) => oursAccepts && item.line.endsWith("crl") && item.name === "the last second",
  ),
  narrower(
    "both",
    "Ours is wider on purpose: it cannot read a PCE SVN of two bytes",
    refusal("PceSvn length"),
  ),
  narrower(
    "both",
    "Ours is wider on purpose: Intel leaves the first two TDX components to the module's identity where its major version is not 0; it compares them as well",
    ({ item, ours, theirs }) =>
      (ours === "UpToDate" || ours === "OutOfDate") &&
      item.line.startsWith("8") &&
      (theirs === "Unknown" || theirs.includes("No matching TCB level")),
  ),
  laxer(
    "web",
    "A platform below every level is accepted with the status Unknown",
    ({ theirs }) => theirs === "Unknown",
  ),
  laxer(
    "web",
    "It compares SVN lists in dictionary order: a higher first component hides lower ones",
    ({ item, oursAccepts, ours }) =>
      item.line === "8 platform" && (ours === "TCB_LEVEL" || (oursAccepts && ours === "SWHardeningNeeded")),
  ),
  laxer(
    "both",
    "SGX quotes pass the same entry as TDX quotes",
    ({ item, ours }) => item.name.includes("sgx") && ours === "QUOTE_VERSION",
  ),
  laxer("both", "The quoting enclave's vendor is not checked", code("QUOTE_VENDOR")),
  laxer("both", "Bytes after the quote are ignored", code("QUOTE_TRAILING")),
  laxer("both", "Announced types and lengths are not all checked", code("QUOTE_")),
  laxer("both", "The upper half of the QE report's data may be anything", code("QE_REPORT_BINDING")),
  laxer("both", "Text around the certificates, and a fourth certificate, are ignored", code("PEM_MALFORMED")),
  laxer(
    "both",
    "The shape of a chain is free: certificates may be missing, repeated or in another order",
    code("CHAIN_LENGTH", "ROOT_MISMATCH"),
  ),
  laxer(
    "js",
    "Names, CA flags, path lengths, key usage and extensions of certificates are not checked, nor is their exact form",
    code("CHAIN_", "CERTIFICATE_MALFORMED"),
  ),
  laxer(
    "web",
    "The root's certificate counts as its key alone: its dates, role and signature are not checked",
    ({ item, ours }) => item.line === "2 root" && ours.length > 0,
  ),
  laxer(
    "web",
    "Names of end entities, exact key usage and path lengths, and exact form of certificates are not checked",
    code("CHAIN_", "CERTIFICATE_MALFORMED"),
  ),
  laxer("both", "Any end entity under the root may sign TCB info and QE identity", code("TCB_SIGNER")),
  laxer(
    "js",
    "Revocation lists are not authenticated and have no dates; what cannot be read counts as empty",
    code("CRL_", "COLLATERAL_SHAPE"),
  ),
  laxer("web", "Each list is asked for certificates of its own issuer alone", code("PCK_REVOKED")),
  laxer("web", "The first second of a revocation list is not checked", code("CRL_NOT_YET_VALID")),
  laxer(
    "web",
    "Critical extensions of list entries, and exact form of lists, are not checked",
    code("CRL_MALFORMED"),
  ),
  laxer(
    "web",
    "The QE identity is not read: its signature, dates, signer, fields and levels count for nothing",
    ({ item, ours }) => /^QE_/.test(ours) || item.line.startsWith("6"),
  ),
  laxer(
    "web",
    "The QE identity is not read: its status counts for nothing",
    (difference) => onMerge(difference) && !moduleWasWorse(difference),
  ),
  laxer(
    "both",
    "There are no floors of evaluation numbers",
    code("TCB_INFO_BELOW_FLOOR", "QE_IDENTITY_BELOW_FLOOR"),
  ),
  laxer("both", "The PCE id is not compared", code("TCB_INFO_PCE")),
  laxer(
    "both",
    "Documents are read loosely: order, unknown members, dates and ranges are free",
    code("TCB_INFO_", "QE_IDENTITY_MALFORMED"),
  ),
  laxer(
    "both",
    "The TDX module's identity and level are not judged",
    (difference) => code("MODULE_")(difference) || moduleWasWorse(difference),
  ),
  laxer(
    "js",
    "Of two statuses the worse word stays: software hardening and configuration are not joined as in Intel's library",
    onMerge,
  ),
  laxer(
    "both",
    "What is measured, and how the trust domain is configured, is left to the caller's policy",
    code("POLICY_", "CONFIG_"),
  ),
]

/** @throws Error where nobody has given a reason yet */
export function reasonFor(difference: Difference): Reason {
  const { other, item, ours, theirs } = difference
  const found = REASONS.find(
    (rule) => (rule.other === other || rule.other === "both") && rule.fits(difference),
  )
  if (!found)
    throw new Error(`no reason why ${other} says ${theirs} to "${item.line}: ${item.name}", ours ${ours}`)
  return found
}
