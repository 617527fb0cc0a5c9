/**
 * The whole verdict on a quote, written a second time from docs/attestation.md §3 and shared with the SDK in nothing but
 * the names of codes; signatures are OpenSSL's affair. Faults are a set, because an input with two of them may be
 * refused for either.
 */
import { createHash } from "node:crypto"
import type { CollateralBundle } from "@twinlock/sdk/attestation/collateralBundle"
import type { AttestationErrorCode } from "@twinlock/sdk/attestation/errors"
import type { VerifyOptions } from "@twinlock/sdk/attestation/underRoot"
import { keccak } from "@twinlock/sdk/protocol/codec"
import { verifyP256 } from "../openssl.ts"
import { judgeChains } from "./chains.ts"
import { type QuoteView, quoteView } from "./layout.ts"
import { judgeQeIdentity, judgeTcbInfo, mergedStatus } from "./levels.ts"

export type Judgement =
  /** Some part cannot be read at all. */
  | { readonly kind: "unreadable" }
  | { readonly kind: "faulty"; readonly faults: readonly AttestationErrorCode[] }
  /** What the SDK must return in these members, whatever it derives besides. */
  | { readonly kind: "good"; readonly verdict: object }

export type JudgeOptions = Omit<VerifyOptions, "collateral"> & { readonly collateral: CollateralBundle }

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")

function reportOf(view: QuoteView) {
  const at = (offset: number, length: number) => `0x${hex(view.body.subarray(offset, offset + length))}`
  return {
    kind: view.kind,
    teeTcbSvn: [...view.body.subarray(0, 16)],
    mrSeam: at(16, 48),
    mrSignerSeam: at(64, 48),
    seamAttributes: at(112, 8),
    tdAttributes: at(120, 8),
    xfam: at(128, 8),
    mrTd: at(136, 48),
    mrConfigId: at(184, 48),
    mrOwner: at(232, 48),
    mrOwnerConfig: at(280, 48),
    rtMr0: at(328, 48),
    rtMr1: at(376, 48),
    rtMr2: at(424, 48),
    rtMr3: at(472, 48),
    reportData: at(520, 64),
    teeTcbSvn2: view.kind === "td15" ? [...view.body.subarray(584, 600)] : null,
    mrServiceTd: view.kind === "td15" ? at(600, 48) : `0x${"00".repeat(48)}`,
  }
}

function domainFaults(view: QuoteView): AttestationErrorCode[] {
  const attributes = Buffer.from(view.body.subarray(120, 128)).readBigUInt64LE()
  const isSet = (from: number, to: number) => view.body.subarray(from, to).some((byte) => byte !== 0)
  const faults: AttestationErrorCode[] = []
  if (attributes & 1n) faults.push("TD_DEBUG")
  if ((attributes & 0x7fff_ffff_2fff_ffffn) !== 0n) faults.push("TD_RESERVED_ATTRIBUTES")
  if ((attributes & 0x1000_0000n) === 0n) faults.push("TD_SEPT_VE")
  if (isSet(64, 112)) faults.push("MODULE_SIGNER")
  if (isSet(112, 120)) faults.push("MODULE_ATTRIBUTES")
  if (view.kind === "td15" && isSet(600, 648)) faults.push("TD_SERVICE")
  return faults
}

function headerFaults(view: QuoteView): AttestationErrorCode[] {
  const faults: AttestationErrorCode[] = []
  if (view.keyType !== 2) faults.push("QUOTE_KEY_TYPE")
  if (view.teeType !== 0x81) faults.push("QUOTE_TEE_TYPE")
  if (view.vendor !== "939a7233f79c4ca9940a0db3957f0607") faults.push("QUOTE_VENDOR")
  return faults
}

function enclaveOf({ qeReport }: QuoteView) {
  const at = (offset: number, length: number) => hex(qeReport.subarray(offset, offset + length))
  const u16 = (offset: number) => (qeReport[offset] ?? 0) + 256 * (qeReport[offset + 1] ?? 0)
  return {
    miscSelect: at(16, 4),
    attributes: at(48, 16),
    mrSigner: at(128, 32),
    isvProdId: u16(256),
    isvSvn: u16(258),
  }
}

function signatureFaults(view: QuoteView, pckKey: string): AttestationErrorCode[] {
  const faults: AttestationErrorCode[] = []
  const { qeReport, attestationKey, qeAuth } = view
  if (!verifyP256(view.qeReportSignature, qeReport, Buffer.from(pckKey, "hex")))
    faults.push("QE_REPORT_SIGNATURE")
  const binding = createHash("sha256").update(attestationKey).update(qeAuth).digest("hex") + "00".repeat(32)
  if (hex(qeReport.subarray(320)) !== binding) faults.push("QE_REPORT_BINDING")
  if (!verifyP256(view.signature, view.signed, attestationKey)) faults.push("QUOTE_SIGNATURE")
  return faults
}

/** @param rootKey x ‖ y of the pinned root. */
export function judge(quote: Uint8Array, options: JudgeOptions, rootKey: Uint8Array): Judgement {
  const { collateral, time, floors } = options
  const view = quoteView(quote)
  if (view === null) return { kind: "unreadable" }
  const faults = headerFaults(view)
  if (![time, floors.tcb, floors.qe].every((value) => value >= 0 && value < Number.POSITIVE_INFINITY))
    faults.push("COLLATERAL_TERMS")
  const documents = judgeChains(view.chain, collateral, hex(rootKey), time, faults)
  if (documents === null) return { kind: "unreadable" }
  const { leaf, authority } = documents
  const { sgx } = leaf
  const report = reportOf(view)
  const svns = { ...sgx, teeTcbSvn: report.teeTcbSvn }
  const tcb = judgeTcbInfo(collateral.tcb_info, svns, time, floors.tcb)
  const qe = judgeQeIdentity(collateral.qe_identity, enclaveOf(view), time, floors.qe)
  if (!tcb || !qe) return { kind: "unreadable" }
  faults.push(...signatureFaults(view, leaf.publicKey), ...domainFaults(view), ...tcb.faults, ...qe.faults)
  if (faults.length > 0) return { kind: "faulty", faults }
  const outcomes = [...tcb.outcomes, ...qe.outcomes]
  const verdict = {
    version: view.version,
    report,
    platform: {
      ppid: `0x${sgx.ppid}`,
      piid: sgx.piid === null ? null : `0x${sgx.piid}`,
      fmspc: `0x${sgx.fmspc}`,
      pceId: `0x${sgx.pceId}`,
      pckSerial: `0x${leaf.serial}`,
      caId: keccak(Buffer.from(authority.publicKey, "hex")),
    },
    levels: { platform: outcomes[0], module: outcomes[1], quotingEnclave: outcomes[2] },
    status: mergedStatus(outcomes.map(({ status }) => status)),
    advisories: [...new Set(outcomes.flatMap(({ advisories }) => advisories))].sort(),
    evaluationNumber: tcb.evaluation,
    verifiedAt: time,
    qeEvaluationNumber: qe.evaluation,
    expiresAt: Math.min(documents.expiresAt, tcb.nextUpdate, qe.nextUpdate),
    id: keccak(view.signed),
  }
  return { kind: "good", verdict }
}
