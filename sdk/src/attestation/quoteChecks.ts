/**
 * The single checks on a parsed quote: docs/attestation.md §3, 5 to 9. `underRoot.ts` runs all of them in order, a
 * diagnosis each by itself. Inputs are public.
 */
import { sha256 } from "@noble/hashes/sha2.js"
import { concatBytes, fromHex, toHex } from "../protocol/codec.ts"
import type { Hex } from "../protocol/ids.ts"
import type { TcbInfo } from "./collateral.ts"
import { attestationError } from "./errors.ts"
import { verifyP256 } from "./p256.ts"
import type { Quote, TdReport } from "./quote.ts"
import type { SgxExtension } from "./sgxExtension.ts"

/** Item 5: the TCB info speaks of this kind of machine. @throws TCB_INFO_FMSPC, TCB_INFO_PCE */
export function checkPlatform(tcbInfo: TcbInfo, { fmspc, pceId }: SgxExtension): void {
  if (tcbInfo.fmspc !== fmspc)
    throw attestationError("TCB_INFO_FMSPC", `TCB info is for ${tcbInfo.fmspc}, the platform is ${fmspc}`)
  if (tcbInfo.pceId !== pceId)
    throw attestationError("TCB_INFO_PCE", `TCB info is for PCE ${tcbInfo.pceId}, the platform has ${pceId}`)
}

/** Item 6. @throws QE_REPORT_SIGNATURE */
export function checkQeReportSignature(quote: Quote, pckKey: Uint8Array): void {
  if (!verifyP256(quote.qeReportSignature, quote.qeReport.bytes, pckKey))
    throw attestationError("QE_REPORT_SIGNATURE", "the quoting enclave's report is not signed by the PCK key")
}

/** Item 6: SHA-256 of attestation key and authentication data, then zeros. @throws QE_REPORT_BINDING */
export function checkQeReportBinding(quote: Quote): void {
  const binding = sha256(concatBytes(quote.attestationKey, quote.qeAuthData))
  if (quote.qeReport.reportData !== toHex(concatBytes(binding, new Uint8Array(32))))
    throw attestationError(
      "QE_REPORT_BINDING",
      "the quoting enclave's report does not bind the attestation key",
    )
}

/** Item 7. @throws QUOTE_SIGNATURE */
export function checkQuoteSignature(quote: Quote): void {
  if (!verifyP256(quote.signature, quote.signedBytes, quote.attestationKey))
    throw attestationError("QUOTE_SIGNATURE", "header and body are not signed by the attestation key")
}

/** Bits of the TD attributes that may be set at all: SEPT_VE_DISABLE, PKS, KL, PERFMON. */
const KNOWN_TD_ATTRIBUTES = (1n << 28n) | (1n << 30n) | (1n << 31n) | (1n << 63n)
const SEPT_VE_DISABLE = 1n << 28n

const isZero = (hex: Hex): boolean => /^0x0*$/.test(hex)

const attributeBits = (report: TdReport): bigint =>
  fromHex(report.tdAttributes).reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n)

/** Item 9: nobody outside may look into the TD. @throws TD_DEBUG */
export function checkNotDebug(report: TdReport): void {
  if (attributeBits(report) & 1n)
    throw attestationError("TD_DEBUG", `the trust domain runs in debug mode: ${report.tdAttributes}`)
}

/**
 * Item 9: nothing reserved, and pages that the host takes away cause no exception that it could misuse.
 * @throws TD_RESERVED_ATTRIBUTES, TD_SEPT_VE
 */
export function checkTdAttributes(report: TdReport): void {
  const attributes = attributeBits(report)
  if (attributes & ~KNOWN_TD_ATTRIBUTES)
    throw attestationError("TD_RESERVED_ATTRIBUTES", `reserved TD attributes are set: ${report.tdAttributes}`)
  if (!(attributes & SEPT_VE_DISABLE))
    throw attestationError("TD_SEPT_VE", `SEPT_VE_DISABLE is not set: ${report.tdAttributes}`)
}

/** Item 9: the TDX module is Intel's own, in production mode. @throws MODULE_SIGNER, MODULE_ATTRIBUTES */
export function checkSeamFields(report: TdReport): void {
  if (!isZero(report.mrSignerSeam))
    throw attestationError("MODULE_SIGNER", `TDX module signer ${report.mrSignerSeam} is not Intel`)
  if (!isZero(report.seamAttributes))
    throw attestationError("MODULE_ATTRIBUTES", `TDX module attributes ${report.seamAttributes} are not zero`)
}

/** Item 9: no service domain that could migrate or read the TD. @throws TD_SERVICE */
export function checkNoServiceDomain(report: TdReport): void {
  if (!isZero(report.mrServiceTd))
    throw attestationError("TD_SERVICE", `a service domain is bound: ${report.mrServiceTd}`)
}
