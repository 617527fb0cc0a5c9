/** Verifiers with one bug each: the fuzzer is worth its time only if it finds them. */
import type { AttestationErrorCode } from "@twinlock/sdk/attestation/errors"
import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import { type Finding, runCase, runCases } from "./runCases.ts"
import type { Target } from "./target.ts"
import { options, SCENARIOS, TIME } from "./world.ts"

type Planted = { readonly name: string; readonly plant: (target: Target) => Target }

/** Runs `verify`; a refusal with `code` becomes acceptance of what the genuine quote says. */
function forgiving(code: AttestationErrorCode): Planted {
  const plant = (target: Target): Target => {
    const orGenuine = <A extends readonly unknown[], R>(verify: (...args: A) => R, genuine: () => R) => {
      return (...args: A): R => {
        try {
          return verify(...args)
        } catch (error) {
          if (isProtocolError(error, code)) return genuine()
          throw error
        }
      }
    }
    const genuine = () => target.verify(SCENARIOS[0]?.quote ?? new Uint8Array(), options)
    return {
      ...target,
      verify: orGenuine(target.verify, genuine),
      verifyEvidence: orGenuine(target.verifyEvidence, genuine),
    }
  }
  return { name: `no check of ${code}`, plant }
}

const FORGIVEN: readonly AttestationErrorCode[] = [
  ...([
    "QUOTE_LENGTH",
    "QUOTE_TRAILING",
    "QUOTE_VERSION",
    "QUOTE_KEY_TYPE",
    "QUOTE_TEE_TYPE",
    "QUOTE_VENDOR",
  ] as const),
  ...([
    "QUOTE_BODY_TYPE",
    "QUOTE_CERTIFICATION_TYPE",
    "PEM_MALFORMED",
    "CERTIFICATE_MALFORMED",
    "CRL_MALFORMED",
  ] as const),
  ...([
    "ROOT_MISMATCH",
    "CHAIN_LENGTH",
    "CHAIN_ISSUER",
    "CHAIN_SUBJECT",
    "CHAIN_SIGNATURE",
    "CHAIN_AUTHORITY",
  ] as const),
  ...([
    "CERTIFICATE_EXPIRED",
    "CERTIFICATE_NOT_YET_VALID",
    "CRL_ISSUER",
    "CRL_SIGNATURE",
    "CRL_EXPIRED",
  ] as const),
  ...([
    "CRL_NOT_YET_VALID",
    "TCB_SIGNER",
    "COLLATERAL_TERMS",
    "TCB_INFO_SIGNATURE",
    "TCB_INFO_EXPIRED",
    "TCB_INFO_NOT_YET_VALID",
  ] as const),
  ...([
    "TCB_INFO_FMSPC",
    "TCB_INFO_PCE",
    "TCB_INFO_BELOW_FLOOR",
    "QE_IDENTITY_SIGNATURE",
    "QE_IDENTITY_EXPIRED",
  ] as const),
  ...([
    "QE_IDENTITY_NOT_YET_VALID",
    "QE_IDENTITY_BELOW_FLOOR",
    "QE_REPORT_SIGNATURE",
    "QE_REPORT_BINDING",
  ] as const),
  ...([
    "QE_SIGNER",
    "QE_PRODUCT",
    "QE_MISC_SELECT",
    "QE_ATTRIBUTES",
    "QE_TCB_LEVEL",
    "QUOTE_SIGNATURE",
  ] as const),
  ...([
    "TCB_LEVEL",
    "MODULE_SIGNER",
    "MODULE_ATTRIBUTES",
    "MODULE_UNKNOWN",
    "MODULE_TCB_LEVEL",
    "TD_DEBUG",
  ] as const),
  ...(["TD_RESERVED_ATTRIBUTES", "TD_SEPT_VE", "TD_SERVICE"] as const),
]

const OTHERS: readonly Planted[] = [
  {
    name: "the worst of the three levels is not the status",
    plant: (target) => ({
      ...target,
      verify: (quote, given) => {
        const verdict = target.verify(quote, given)
        return { ...verdict, status: verdict.levels.platform.status }
      },
    }),
  },
  {
    name: "the end of collateral that ends early is forgotten",
    plant: (target) => ({
      ...target,
      verify: (quote, given) => {
        const verdict = target.verify(quote, given)
        return { ...verdict, expiresAt: Math.max(verdict.expiresAt, TIME + 29 * 86_400) }
      },
    }),
  },
  {
    name: "the last serial of a CRL is not read",
    plant: (target) => ({
      ...target,
      parseCrl: (der) => {
        const crl = target.parseCrl(der)
        return { ...crl, revoked: new Set([...crl.revoked].slice(0, -1)) }
      },
    }),
  },
  {
    name: "the path length of a certificate is not read",
    plant: (target) => ({
      ...target,
      parseCertificate: (der) => ({ ...target.parseCertificate(der), pathLength: null }),
    }),
  },
  {
    name: "bytes before the first certificate are skipped",
    plant: (target) => ({
      ...target,
      parsePemChain: (text) =>
        target.parsePemChain(text.slice(Math.max(0, text.indexOf("-----BEGIN CERTIFICATE-----")))),
    }),
  },
  {
    name: "an event may stand twice",
    plant: (target) => ({
      ...target,
      replay: (log) => {
        try {
          return target.replay(log)
        } catch (error) {
          if (!isProtocolError(error, "EVENT_LOG_DUPLICATE")) throw error
          return { register: "0x", facts: {} as never }
        }
      },
    }),
  },
  {
    name: "a parser throws what is no refusal",
    plant: (target) => ({
      ...target,
      parseTcbInfo: (text) => {
        if (text.includes("\ud800")) throw new TypeError("a lone surrogate")
        return target.parseTcbInfo(text)
      },
    }),
  },
  {
    name: "a parser reads its input again and again",
    plant: (target) => ({
      ...target,
      parseCrl: (der) => {
        for (let i = 0; i < der.length; i++) target.parseCrl(der)
        return target.parseCrl(der)
      },
    }),
  },
]

export type Found = {
  readonly name: string
  readonly foundAt: number | null
  readonly finding: Finding | null
}

const foundBy = (name: string, finding: Finding | null): Found => ({
  name,
  foundAt: finding?.caseNumber ?? null,
  finding,
})

/**
 * Missing checks, all in one pass: only a case that the complete verifier refuses with a code can tell that this
 * check is missing, so only such cases run again, without it.
 */
function findMissingChecks(target: Target, seed: string, cases: number): readonly Found[] {
  const findings = new Map<AttestationErrorCode, Finding>()
  for (let caseNumber = 0; caseNumber < cases && findings.size < FORGIVEN.length; caseNumber++) {
    const whole = runCase(seed, caseNumber, target)
    const code = FORGIVEN.find((one) => "outcome" in whole && one === whole.outcome)
    if (code === undefined || findings.has(code)) continue
    const weakened = runCase(seed, caseNumber, forgiving(code).plant(target))
    if ("message" in weakened) findings.set(code, weakened)
  }
  return FORGIVEN.map((code) => foundBy(forgiving(code).name, findings.get(code) ?? null))
}

/** @param cases at most that many per bug. @returns for each bug the first case that shows it */
export const findPlanted = (target: Target, seed: string, cases: number): readonly Found[] => [
  ...findMissingChecks(target, seed, cases),
  ...OTHERS.map(({ name, plant }) => {
    const { findings } = runCases({ seed, first: 0, cases, target: plant(target), untilFirst: true })
    return foundBy(name, findings[0] ?? null)
  }),
]
