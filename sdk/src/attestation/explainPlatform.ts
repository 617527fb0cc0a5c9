/** Diagnosis of signatures, trust domain and TCB levels: checklist lines 6 to 9, in the verifier's order. */
import { toHex } from "../protocol/codec.ts"
import type { PckCertificate } from "./chain.ts"
import type { Level, QeIdentity, TcbInfo } from "./collateral.ts"
import type { AttestationErrorCode } from "./errors.ts"
import { svnList } from "./explainFormat.ts"
import { type Line, named, type Trace } from "./explainTrace.ts"
import type { QeReport, Quote, TdReport } from "./quote.ts"
import {
  checkNoServiceDomain,
  checkNotDebug,
  checkPlatform,
  checkQeReportBinding,
  checkQeReportSignature,
  checkQuoteSignature,
  checkSeamFields,
  checkTdAttributes,
} from "./quoteChecks.ts"
import { moduleLevel, platformLevel, quotingEnclaveLevel } from "./tcbLevel.ts"

export type ExplainedLevels = {
  readonly platform: Level | null
  readonly module: Level | null
  readonly quotingEnclave: Level | null
}

/** Lines 6 and 7. */
export function explainSignatures(trace: Trace, quote: Quote | null, leaf: PckCertificate | null): void {
  const line = (
    id: string,
    title: string,
    expected: string,
    found: string,
    code: AttestationErrorCode,
  ): Line<true> => ({ id, title, expected, found, codes: [code] })
  trace.step({
    item: 6,
    needs: { "the quote": quote, "the PCK certificate": leaf },
    run: (given) => {
      checkQeReportSignature(given["the quote"], given["the PCK certificate"].publicKey)
      return true as const
    },
    lines: [
      {
        ...line(
          "signature.qe-report",
          "QE report: signature",
          "signed by the PCK key",
          "",
          "QE_REPORT_SIGNATURE",
        ),
        found: () => "good",
      },
    ],
  })
  trace.step({
    item: 6,
    needs: { "the quote": quote },
    run: (given) => {
      checkQeReportBinding(given["the quote"])
      return true as const
    },
    lines: [
      line(
        "signature.binding",
        "QE report binds the attestation key",
        "sha256(key ‖ QE auth data), then zeros",
        quote === null ? "missing" : shorten(quote.qeReport.reportData),
        "QE_REPORT_BINDING",
      ),
    ],
  })
  trace.step({
    item: 7,
    needs: { "the quote": quote },
    run: (given) => {
      checkQuoteSignature(given["the quote"])
      return true as const
    },
    lines: [
      {
        ...line(
          "signature.quote",
          "quote: signature",
          "attestation key, header and body",
          "",
          "QUOTE_SIGNATURE",
        ),
        found: () => `good, by key ${quote === null ? "" : shorten(toHex(quote.attestationKey))}`,
      },
    ],
  })
}

const shorten = (hex: string): string => (hex.length > 36 ? `${hex.slice(0, 34)}…` : hex)

const zeroOr = (hex: string): string => (/^0x0*$/.test(hex) ? "zero" : shorten(hex))

/** Line 9, as far as it is not policy. */
export function explainTrustDomain(trace: Trace, quote: Quote | null): void {
  const report = quote?.report ?? null
  const check = (run: (report: TdReport) => void, ...lines: readonly Line<true>[]) =>
    trace.step({
      item: 9,
      needs: { "the quote": report },
      run: (given) => {
        run(given["the quote"])
        return true as const
      },
      lines: report === null ? lines.map((line) => ({ ...line, found: () => "" })) : lines,
    })
  const attributes = report?.tdAttributes ?? ""
  check(
    checkNotDebug,
    named("td.debug", "TD is not in debug mode", { expected: "bit 0 clear", found: attributes }),
  )
  check(
    checkTdAttributes,
    named("td.reserved", "TD attributes: no reserved bit", {
      expected: "only SEPT_VE_DISABLE, PKS, KL, PERFMON",
      found: attributes,
      codes: ["TD_RESERVED_ATTRIBUTES"],
    }),
    named("td.sept-ve", "TD attributes: SEPT_VE_DISABLE", {
      expected: "bit 28 set",
      found: attributes,
      codes: ["TD_SEPT_VE"],
    }),
  )
  check(
    checkSeamFields,
    named("td.module-signer", "TDX module: signer", {
      expected: "zero (Intel)",
      found: zeroOr(report?.mrSignerSeam ?? ""),
      codes: ["MODULE_SIGNER"],
    }),
    named("td.module-attributes", "TDX module: attributes", {
      expected: "zero",
      found: zeroOr(report?.seamAttributes ?? ""),
      codes: ["MODULE_ATTRIBUTES"],
    }),
  )
  check(
    checkNoServiceDomain,
    named("td.service", "no service TD is bound", {
      expected: "zero",
      found: zeroOr(report?.mrServiceTd ?? ""),
    }),
  )
}

const lowestLevel = (tcbInfo: TcbInfo | null): string => {
  const lowest = tcbInfo?.levels.at(-1)
  if (lowest === undefined) return "CPU, PCE and TDX SVNs of a level"
  return `the lowest level or more: CPU ${svnList(lowest.sgx)}, PCE ${lowest.pceSvn}, TDX ${svnList(lowest.tdx)}`
}

const describeLevel = ({ status, advisories }: Level): string =>
  advisories.length === 0 ? status : `${status}, ${advisories.join(" ")}`

function moduleLines(report: TdReport | null, tcbInfo: TcbInfo | null): readonly Line<Level>[] {
  const [svn = 0, version = 0] = report?.teeTcbSvn ?? []
  const name = `module ${version}, SVN ${svn}`
  const known = tcbInfo === null ? "those of the TCB info" : [...tcbInfo.modules.keys()].join(", ")
  return [
    named("module.known", "TDX module: major version", {
      expected: `one of ${known}`,
      found: String(version),
      codes: ["MODULE_UNKNOWN"],
    }),
    named("module.identity", "TDX module: identity", {
      expected: "signer and attributes of the TCB info",
      found: () => "equal",
      codes: ["MODULE_SIGNER", "MODULE_ATTRIBUTES"],
    }),
    named("module.level", "TDX module: TCB level", {
      expected: "SVN of a level",
      found: (level) => `${name}: ${describeLevel(level)}`,
      codes: ["MODULE_TCB_LEVEL"],
    }),
  ]
}

function enclaveLines(qe: QeReport | null, identity: QeIdentity | null): readonly Line<Level>[] {
  const line = (
    id: string,
    title: string,
    found: string | number | undefined,
    expected: string | number | undefined,
    code: AttestationErrorCode,
  ): Line<Level> =>
    named(`qe.${id}`, `quoting enclave: ${title}`, {
      expected: expected === undefined ? "that of the QE identity" : shorten(String(expected)),
      found: found === undefined ? () => "" : shorten(String(found)),
      codes: [code],
    })
  return [
    line("signer", "signer", qe?.mrSigner, identity?.mrSigner, "QE_SIGNER"),
    line("product", "product", qe?.isvProdId, identity?.isvProdId, "QE_PRODUCT"),
    line(
      "misc-select",
      "miscselect",
      qe?.miscSelect,
      identity === null ? undefined : `${identity.miscSelect} under ${identity.miscSelectMask}`,
      "QE_MISC_SELECT",
    ),
    line("attributes", "attributes", qe?.attributes, identity?.attributes, "QE_ATTRIBUTES"),
    named("qe.level", "quoting enclave: TCB level", {
      expected: "SVN of a level",
      found: (level) => `SVN ${qe?.isvSvn ?? ""}: ${describeLevel(level)}`,
      codes: ["QE_TCB_LEVEL"],
    }),
  ]
}

/** Line 5: the TCB info speaks of this kind of machine. */
export function explainPlatform(trace: Trace, leaf: PckCertificate | null, tcbInfo: TcbInfo | null): void {
  const sgx = leaf?.sgx ?? null
  trace.step({
    item: 5,
    needs: { "the PCK certificate": sgx, "the TCB info": tcbInfo },
    run: (given) => {
      checkPlatform(given["the TCB info"], given["the PCK certificate"])
      return true
    },
    lines: [
      named("platform.fmspc", "TCB info is for this FMSPC", {
        expected: sgx?.fmspc ?? "the platform's",
        found: tcbInfo?.fmspc ?? (() => ""),
        codes: ["TCB_INFO_FMSPC"],
      }),
      named("platform.pce", "TCB info is for this PCE", {
        expected: sgx?.pceId ?? "the platform's",
        found: tcbInfo?.pceId ?? (() => ""),
        codes: ["TCB_INFO_PCE"],
      }),
    ],
  })
}

/** Lines 8 and 6: platform, TDX module, quoting enclave. */
export function explainLevels(
  trace: Trace,
  quote: Quote | null,
  leaf: PckCertificate | null,
  tcbInfo: TcbInfo | null,
  qeIdentity: QeIdentity | null,
): ExplainedLevels {
  const report = quote?.report ?? null
  const platform = trace.step({
    item: 8,
    needs: { "the quote": report, "the PCK certificate": leaf, "the TCB info": tcbInfo },
    run: (given) =>
      platformLevel(given["the TCB info"], given["the PCK certificate"].sgx, given["the quote"]),
    lines: [
      {
        id: "tcb.platform",
        title: "platform reaches a TCB level",
        expected: lowestLevel(tcbInfo),
        found: describeLevel,
        codes: ["TCB_LEVEL"],
      },
    ],
  })
  const module = trace.step({
    item: 8,
    needs: { "the quote": report, "the TCB info": tcbInfo },
    run: (given) => moduleLevel(given["the TCB info"], given["the quote"]),
    lines: moduleLines(report, tcbInfo),
  })
  const qe = quote?.qeReport ?? null
  const quotingEnclave = trace.step({
    item: 6,
    needs: { "the quote": qe, "the QE identity": qeIdentity },
    run: (given) => quotingEnclaveLevel(given["the QE identity"], given["the quote"]),
    lines: enclaveLines(qe, qeIdentity),
  })
  return { platform, module, quotingEnclave }
}
