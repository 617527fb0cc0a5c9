/**
 * One simulated machine, its quote and its collateral, with the means to break a single rule of either: what the
 * attestation tests judge.
 */

import { issuePckCertificate, type PckFields } from "@twinlock/devnet/platform/pckCertificate"
import {
  type CertificateFields,
  issueCertificate,
  PLATFORM_CA,
  ROOT_CRL_URL,
} from "@twinlock/devnet/platform/pki"
import { createPlatform, type Machine, type Platform } from "@twinlock/devnet/platform/platform"
import { makeQuote, type QuoteKnobs } from "@twinlock/devnet/platform/quote"
import { parseRootKey } from "@twinlock/sdk/attestation/chain"
import type { CollateralBundle } from "@twinlock/sdk/attestation/collateralBundle"
import {
  type QuoteVerifier,
  quoteVerifierUnder,
  type VerifiedQuote,
  type VerifyOptions,
} from "@twinlock/sdk/attestation/underRoot"

/** Unix seconds at which the collateral was issued. */
export const NOW = 1_791_158_400
export const DAY = 86_400
const SINCE = 1_500_000_000
const FAR = 2_500_000_000

export const platform: Platform = createPlatform({ seed: "verify quote", now: NOW })
export const machine: Machine = platform.machine("alice")
export const verifier: QuoteVerifier = quoteVerifierUnder(parseRootKey(platform.root.key.publicKey))
export const good: CollateralBundle = platform.collateral()

export const options = (collateral: Partial<CollateralBundle> = {}, time = NOW): VerifyOptions => ({
  collateral: { ...good, ...collateral },
  time,
  floors: { tcb: 20, qe: 20 },
})

/** Verifies under the simulated root, with single members of the good collateral replaced. */
export const verify = (
  bytes: Uint8Array,
  collateral?: Partial<CollateralBundle>,
  time?: number,
): VerifiedQuote => verifier.verify(bytes, options(collateral, time))

export const quote = (knobs?: QuoteKnobs): Uint8Array => platform.quote({ machine, ...knobs })

/** A copy with one bit flipped at `offset`. */
export function flipped(bytes: Uint8Array, offset: number): Uint8Array {
  const copy = bytes.slice()
  copy[offset] = (copy[offset] ?? 0) ^ 1
  return copy
}

/** The platform CA's certificate under the root, with fields replaced. */
export const certificate = (fields: Partial<CertificateFields>): Uint8Array =>
  issueCertificate({
    name: PLATFORM_CA,
    key: platform.platformCa.key,
    issuer: platform.root,
    serial: Uint8Array.of(1, 2, 3),
    notBefore: SINCE,
    notAfter: FAR,
    pathLength: 0,
    crlUrl: ROOT_CRL_URL,
    ...fields,
  })

/** The machine's certificate, by default under the platform CA. */
export const pck = (
  issuer: Platform["root"] = platform.platformCa,
  changes: Partial<PckFields> = {},
): Uint8Array =>
  issuePckCertificate({
    key: machine.pckKey,
    issuer,
    serial: machine.pckSerial,
    notBefore: SINCE,
    notAfter: FAR,
    ppid: machine.ppid,
    piid: machine.piid,
    fmspc: machine.fmspc,
    pceId: "0x0000",
    cpuSvn: machine.cpuSvn,
    pceSvn: machine.pceSvn,
    ...changes,
  })

/** The machine's genuine chain, leaf first. */
export const genuine: readonly [leaf: Uint8Array, authority: Uint8Array, root: Uint8Array] = [
  machine.pckCertificate,
  platform.platformCaCertificate,
  platform.rootCertificate,
]

/** A well-signed quote that carries another chain. */
export const quoteWith = (chain: readonly Uint8Array[]): Uint8Array => makeQuote({ ...machine, chain })
