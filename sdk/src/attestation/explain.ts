/**
 * Why a quote is accepted or refused (docs/attestation.md §3): every check of the verifier with what it expects and what
 * it found, past the first failure wherever later checks do not depend on it. Built from the verifier's own functions,
 * and the verdict is the verifier's own: a diagnosis can be incomplete, but it cannot disagree.
 *
 * Inputs are public. No I/O and no clock: the caller passes bytes, collateral, time and policy.
 */
import { isProtocolError, type ProtocolError } from "../protocol/errors.ts"
import type { Digest } from "../protocol/ids.ts"
import type { RootKey } from "./chain.ts"
import type { CollateralBundle } from "./collateralBundle.ts"
import { type AttestationErrorCode, attestationError } from "./errors.ts"
import type { BootFacts } from "./eventLog.ts"
import { explainBoot } from "./explainBoot.ts"
import { explainCollateral } from "./explainCollateral.ts"
import {
  type DecodedCollateral,
  type DecodedPlatform,
  type DecodedQuote,
  decodeCollateral,
  decodePlatform,
  decodeQuote,
} from "./explainDecoded.ts"
import { explainLevels, explainPlatform, explainSignatures, explainTrustDomain } from "./explainPlatform.ts"
import { type ExplainPolicy, explainPolicy } from "./explainPolicy.ts"
import { explainLayout, explainPckChain } from "./explainQuote.ts"
import { type Check, createTrace } from "./explainTrace.ts"
import { verifyP256 } from "./p256.ts"
import type { TcbStatus } from "./tcbStatus.ts"
import { quoteVerifierUnder, rootIdOf, type VerifiedQuote } from "./underRoot.ts"
import { INTEL_ROOT_KEY } from "./verifyQuote.ts"

export type ExplainOptions = {
  /** Null where it could not be looked up: the quote does not even say which it needs. */
  readonly collateral: CollateralBundle | null
  /** Unix seconds. */
  readonly time: number
  readonly policy?: ExplainPolicy
  /** Event log of the guest agent's answer, JSON text. */
  readonly eventLog?: string
  /** Document behind mr_config_id of version 3. */
  readonly configDocument?: Uint8Array
  /** Bytes of app-compose.json. */
  readonly composeFile?: Uint8Array
}

export type Verdict =
  /** Made by a genuine machine that Intel calls up to date, within the policy. */
  | "up-to-date"
  /** Genuine and within the policy, with another TCB status. */
  | "genuine"
  | "refused"

export type Failure = {
  readonly code: AttestationErrorCode
  readonly reason: string
}

export type Explanation = {
  readonly format: "twinlock/attest-explain/1"
  /** keccak256(x ‖ y) of the root key under which everything was judged. */
  readonly rootId: Digest
  readonly verdict: Verdict
  /** The first failure in the verifier's order: the one that the verifier reports. */
  readonly failure: Failure | null
  /** Null where the quote is not genuine. */
  readonly status: TcbStatus | null
  readonly advisories: readonly string[]
  /** Unix seconds at which the verdict was made, and at which the first thing that it rests on runs out. */
  readonly time: number
  readonly expiresAt: number | null
  readonly checks: readonly Check[]
  readonly quote: DecodedQuote | null
  readonly platform: DecodedPlatform | null
  readonly collateral: DecodedCollateral | null
  /** What the guest measured about itself; null without an event log that replays. */
  readonly boot: BootFacts | null
}

const NO_FLOORS = { tcb: 0, qe: 0 }

type Outcome = { readonly quote: VerifiedQuote | null; readonly failure: Failure | null }

/** The verifier's own word. */
function judge(rootKey: RootKey, bytes: Uint8Array, options: ExplainOptions): Outcome {
  const { collateral, time, policy } = options
  try {
    const missing = attestationError("COLLATERAL_SHAPE", "there is no collateral for this quote")
    if (collateral === null) return { quote: null, failure: failureOf(missing) }
    const floors = policy?.floors ?? NO_FLOORS
    return {
      quote: quoteVerifierUnder(rootKey).verify(bytes, { collateral, time, floors }),
      failure: null,
    }
  } catch (error) {
    if (!isProtocolError(error)) throw error
    return { quote: null, failure: failureOf(error) }
  }
}

function failureOf(error: ProtocolError): Failure {
  return { code: error.detail.code as AttestationErrorCode, reason: error.detail.message }
}

const failureOfCheck = ({ code, reason }: Check): Failure | null =>
  code === null ? null : { code, reason: reason ?? "" }

/** Diagnosis under any root: production goes through {@link explainQuote}. */
export function explainUnder(rootKey: RootKey, bytes: Uint8Array, options: ExplainOptions): Explanation {
  const { time, policy = {}, eventLog, configDocument, composeFile } = options
  const trace = createTrace()
  const terms = { time, floors: policy.floors ?? NO_FLOORS }
  const context = { trace, anchor: { rootKey, verify: verifyP256 }, bundle: options.collateral, terms }
  const quote = explainLayout(trace, bytes)
  const collateral = explainCollateral(context)
  const chain = explainPckChain(context, quote, collateral)
  explainPlatform(trace, chain.leaf, collateral.tcbInfo)
  explainSignatures(trace, quote, chain.leaf)
  explainTrustDomain(trace, quote)
  const levels = explainLevels(trace, quote, chain.leaf, collateral.tcbInfo, collateral.qeIdentity)

  const verified = judge(rootKey, bytes, options)
  explainPolicy({ trace, policy, quote: verified.quote, configDocument })
  const report = quote?.report ?? null
  const boot = explainBoot({ trace, policy, report, configDocument, eventLog, composeFile })

  const checks = trace.checks()
  const failed = checks.find(({ status }) => status === "failed")
  const failure = verified.quote === null && options.collateral !== null ? verified.failure : null
  const first = failure ?? (failed === undefined ? verified.failure : failureOfCheck(failed))
  const status = verified.quote?.status ?? null
  return {
    format: "twinlock/attest-explain/1",
    rootId: rootIdOf(rootKey),
    verdict: first !== null || status === null ? "refused" : status === "UpToDate" ? "up-to-date" : "genuine",
    failure: first,
    status,
    advisories: verified.quote?.advisories ?? [],
    time,
    expiresAt: verified.quote?.expiresAt ?? null,
    checks,
    quote: quote === null ? null : decodeQuote(quote),
    platform: decodePlatform(chain),
    collateral: options.collateral === null ? null : decodeCollateral(chain, collateral, levels),
    boot,
  }
}

/** Diagnosis under Intel's root. */
export const explainQuote = (bytes: Uint8Array, options: ExplainOptions): Explanation =>
  explainUnder(INTEL_ROOT_KEY, bytes, options)
