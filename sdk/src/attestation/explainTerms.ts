/**
 * Diagnosis of what changes with time and policy: validity, freshness, revocation and floors of genuine collateral,
 * checklist lines 2 to 5 in the order of `checkCollateral`.
 */
import type { Certificate } from "./certificate.ts"
import { checkCrlPeriod, checkNotRevoked, checkValidity, type TcbSignerChain } from "./chain.ts"
import { checkCurrent, type QeIdentity, type TcbInfo } from "./collateral.ts"
import type { Crl } from "./crl.ts"
import type { AttestationErrorCode } from "./errors.ts"
import type { CollateralContext, ExplainedCollateral } from "./explainCollateral.ts"
import { isoDate } from "./explainFormat.ts"
import { type Line, named, type Trace } from "./explainTrace.ts"

const period = (from: number, to: number) => `${isoDate(from)} to ${isoDate(to)}`

/** One check of something that is genuine, against time or policy. */
export function judge<T>(
  trace: Trace,
  item: number,
  needs: string,
  subject: T | null,
  line: Line<T>,
  run: (subject: T) => void,
): void {
  trace.step({
    item,
    needs: { [needs]: subject },
    run: () => {
      if (subject !== null) run(subject)
      return subject as T
    },
    lines: [subject === null ? line : { ...line, found: textOf(line, subject) }],
  })
}

const textOf = <T>({ found }: Line<T>, value: T): string => (typeof found === "string" ? found : found(value))

export const explainValidity = (
  trace: Trace,
  item: number,
  id: string,
  what: string,
  certificate: Certificate | null,
  time: number,
): void =>
  judge(
    trace,
    item,
    what,
    certificate,
    named(id, `${what}: valid`, {
      expected: `at ${isoDate(time)}`,
      found: ({ notBefore, notAfter }) => period(notBefore, notAfter),
    }),
    (given) => checkValidity(given, time),
  )

export function explainRevocation(
  trace: Trace,
  id: string,
  what: string,
  certificate: Certificate | null,
  crl: Crl | null,
  code: "PCK_REVOKED" | "PCK_CA_REVOKED" | "TCB_SIGNER_REVOKED",
): void {
  const pair = certificate === null || crl === null ? null : { certificate, crl }
  judge(
    trace,
    code === "TCB_SIGNER_REVOKED" ? 4 : 3,
    certificate === null ? what : "its CRL",
    pair,
    named(id, `${what}: not revoked`, {
      expected: "serial not on the CRL",
      found: (given) => given.certificate.serial,
    }),
    (given) => checkNotRevoked(given.certificate, given.crl, code),
  )
}

function explainCurrent(
  { trace, terms }: CollateralContext,
  prefix: "TCB_INFO" | "QE_IDENTITY",
  document: TcbInfo | QeIdentity | null,
): void {
  const [id, name, floor] =
    prefix === "TCB_INFO"
      ? (["tcb-info", "TCB info", terms.floors.tcb] as const)
      : (["qe-identity", "QE identity", terms.floors.qe] as const)
  const stale: readonly AttestationErrorCode[] = [`${prefix}_NOT_YET_VALID`, `${prefix}_EXPIRED`]
  trace.step({
    item: 5,
    needs: { [`a genuine ${name}`]: document },
    run: () => {
      if (document !== null) checkCurrent(document, prefix, terms.time, floor)
      return true
    },
    lines: [
      named(`${id}.fresh`, `${name}: current`, {
        expected: `at ${isoDate(terms.time)}`,
        found: document === null ? () => "" : period(document.issuedAt, document.nextUpdate),
        codes: stale,
      }),
      named(`${id}.floor`, `${name}: evaluation number`, {
        expected: floor === 0 ? "any, as no floor is given" : `${floor} or more`,
        found: document === null ? () => "" : String(document.evaluationNumber),
        codes: [`${prefix}_BELOW_FLOOR`],
      }),
    ],
  })
}

/** Dates, floors and revocation of the collateral itself. */
export function explainTerms(context: CollateralContext, collateral: ExplainedCollateral): void {
  const { trace, terms } = context
  const { time } = terms
  const { issuers, rootCrl, pckCrl, tcbSigner, qeSigner, tcbInfo, qeIdentity } = collateral
  const root = issuers?.root ?? null
  const authority = issuers?.authority ?? null
  const valid = (id: string, what: string, certificate: Certificate | null, item: number) =>
    explainValidity(trace, item, id, what, certificate, time)
  valid("pck-crl.root-validity", "collateral's root", root, 2)
  valid("pck-crl.authority-validity", "collateral's PCK authority", authority, 2)
  const signers = [
    ["tcb-info", "TCB info's", tcbSigner],
    ...(qeSigner === tcbSigner && qeSigner !== null
      ? []
      : [["qe-identity", "QE identity's", qeSigner] as const]),
  ] as const
  for (const [id, what, chain] of signers) {
    valid(`${id}.root-validity`, `${what} root`, chain?.root ?? null, 4)
    valid(`${id}.signer-validity`, `${what} signer`, chain?.signer ?? null, 4)
  }
  const crlPeriod = (id: string, what: string, crl: Crl | null, issuer: Certificate | null) =>
    judge(
      trace,
      3,
      `a genuine ${what}`,
      crl,
      named(`${id}.fresh`, `${what}: current`, {
        expected: `at ${isoDate(time)}`,
        found: ({ thisUpdate, nextUpdate }) => period(thisUpdate, nextUpdate),
      }),
      (given) => {
        if (issuer !== null) checkCrlPeriod(given, issuer, time)
      },
    )
  crlPeriod("root-crl", "root CRL", rootCrl, root)
  crlPeriod("pck-crl", "PCK CRL", pckCrl, authority)
  explainRevocation(trace, "root-crl.authority", "PCK authority", authority, rootCrl, "PCK_CA_REVOKED")
  const revoked = (id: string, what: string, chain: TcbSignerChain | null) =>
    explainRevocation(trace, id, what, chain?.signer ?? null, rootCrl, "TCB_SIGNER_REVOKED")
  revoked("tcb-info.signer-revocation", "TCB info's signer", tcbSigner)
  revoked("qe-identity.signer-revocation", "QE identity's signer", qeSigner)
  explainCurrent(context, "TCB_INFO", tcbInfo)
  explainCurrent(context, "QE_IDENTITY", qeIdentity)
}
