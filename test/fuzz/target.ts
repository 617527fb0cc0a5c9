/** What is fuzzed, as one value, so that tests can put a verifier with a planted bug in its place. */
import { type Certificate, parseCertificate } from "@twinlock/sdk/attestation/certificate"
import { parseRootKey } from "@twinlock/sdk/attestation/chain"
import {
  parseQeIdentity,
  parseTcbInfo,
  type QeIdentity,
  type TcbInfo,
} from "@twinlock/sdk/attestation/collateral"
import { type CollateralBundle, parseCollateralBundle } from "@twinlock/sdk/attestation/collateralBundle"
import { appraiseComposeFile } from "@twinlock/sdk/attestation/composeFile"
import { type Crl, parseCrl } from "@twinlock/sdk/attestation/crl"
import {
  type BootFacts,
  bootFactsOf,
  parseEventLog,
  replayRuntimeEvents,
} from "@twinlock/sdk/attestation/eventLog"
import type { Evidence } from "@twinlock/sdk/attestation/evidence"
import { type ExplainOptions, type Explanation, explainUnder } from "@twinlock/sdk/attestation/explain"
import { parsePemChain } from "@twinlock/sdk/attestation/pem"
import { appraiseMachine, DEFAULT_POLICY, type MachineFacts } from "@twinlock/sdk/attestation/policy"
import {
  quoteVerifierUnder,
  type VerifiedQuote,
  type VerifyOptions,
} from "@twinlock/sdk/attestation/underRoot"
import type { CollateralTerms, VerifiedCollateral } from "@twinlock/sdk/attestation/verifiedCollateral"
import type { Hex } from "@twinlock/sdk/protocol/ids"

export type Target = {
  readonly verify: (quote: Uint8Array, options: VerifyOptions) => VerifiedQuote
  /** Collateral whose signatures are checked, to be used for many quotes. */
  readonly verifyCollateral: (bundle: CollateralBundle, terms: CollateralTerms) => VerifiedCollateral
  readonly verifyEvidence: (evidence: Evidence, options: VerifyOptions) => VerifiedQuote
  readonly parseCertificate: (der: Uint8Array) => Certificate
  readonly parseCrl: (der: Uint8Array) => Crl
  readonly parseTcbInfo: (text: string) => TcbInfo
  readonly parseQeIdentity: (text: string) => QeIdentity
  readonly parsePemChain: (text: string) => readonly Uint8Array[]
  readonly parseCollateralBundle: (value: unknown) => CollateralBundle
  readonly appraiseMachine: (quote: Pick<VerifiedQuote, "report">, configDocument: Uint8Array) => MachineFacts
  readonly appraiseComposeFile: typeof appraiseComposeFile
  readonly explain: (quote: Uint8Array, options: ExplainOptions) => Explanation
  /** RTMR3 after the log and the facts before `system-ready`. */
  readonly replay: (log: string) => { readonly register: Hex; readonly facts: BootFacts }
}

/** The SDK's verifier under `rootKey`, x ‖ y. */
export function sdkTarget(rootKey: Uint8Array): Target {
  const root = parseRootKey(rootKey)
  const verifier = quoteVerifierUnder(root)
  return {
    verify: verifier.verify,
    verifyCollateral: verifier.verifyCollateral,
    verifyEvidence: verifier.verifyEvidence,
    parseCertificate,
    parseCrl,
    parseTcbInfo,
    parseQeIdentity,
    parsePemChain,
    parseCollateralBundle,
    appraiseMachine: (quote, configDocument) => appraiseMachine(quote, DEFAULT_POLICY, configDocument),
    appraiseComposeFile,
    explain: (quote, options) => explainUnder(root, quote, options),
    replay: (log) => {
      const events = parseEventLog(log)
      return { register: replayRuntimeEvents(events), facts: bootFactsOf(events) }
    },
  }
}
