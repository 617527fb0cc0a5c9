/**
 * A software TDX platform with its own root of trust: certificate authorities, machines, collateral and quotes.
 * It exists for tests and the local network. Production verifiers pin Intel's root and refuse everything made here;
 * nothing outside devnet and tests may import it.
 *
 * Everything follows from the seed, signatures included: equal options give equal bytes in every process.
 */
import type { CollateralBundle } from "@twinlock/sdk/attestation/collateralBundle"
import { toHex } from "@twinlock/sdk/protocol/codec"
import type { Hex } from "@twinlock/sdk/protocol/ids"
import { type CollateralKnobs, type CollateralSource, makeCollateral } from "./collateral.ts"
import { deriveBytes, deriveKey, type SigningKey } from "./keys.ts"
import { issuePckCertificate, type PckFields } from "./pckCertificate.ts"
import {
  type CertificateFields,
  type Issuer,
  issueCertificate,
  PLATFORM_CA,
  PROCESSOR_CA,
  ROOT_CA,
  ROOT_CRL_URL,
  TCB_SIGNING,
} from "./pki.ts"
import { makeQuote, type QuoteKnobs } from "./quote.ts"

export type PlatformOptions = {
  /** Public test material, not a secret: whoever knows it is the platform's "Intel". */
  readonly seed: string
  /** Unix seconds: the moment at which collateral is issued unless a knob says otherwise. */
  readonly now: number
  /** 12 hex characters as TCB info writes them. */
  readonly fmspc?: string
  /** Validity of every certificate, unix seconds; 2025 to 2049 by default. */
  readonly notBefore?: number
  readonly notAfter?: number
  /** Which of Intel's two CAs issues the PCK certificates; "platform" by default. */
  readonly authority?: "platform" | "processor"
  /** Fields of the certificates above the machines that differ from Intel's. */
  readonly certificates?: {
    readonly root?: Partial<CertificateFields>
    readonly authority?: Partial<CertificateFields>
    readonly tcbSigning?: Partial<CertificateFields>
  }
}

export type MachineOptions = {
  readonly name: string
  readonly ppid?: Hex
  /** null leaves it out, as the Processor CA does. */
  readonly piid?: Hex | null
  readonly fmspc?: Hex
  readonly pceId?: Hex
  readonly cpuSvn?: Hex
  readonly pceSvn?: number
  readonly teeTcbSvn?: Hex
  readonly notBefore?: number
  readonly notAfter?: number
  /** What is unlike Intel's in the PCK certificate, its issuer among it. */
  readonly pck?: Partial<PckFields>
}

/** One simulated host: its own PPID, PCK certificate and attestation key. */
export type Machine = {
  readonly name: string
  readonly ppid: Hex
  /** null under the Processor CA. */
  readonly piid: Hex | null
  readonly fmspc: Hex
  readonly cpuSvn: Hex
  readonly pceSvn: number
  readonly teeTcbSvn: Hex
  readonly pckKey: SigningKey
  readonly attestationKey: SigningKey
  readonly pckSerial: Uint8Array
  readonly pckCertificate: Uint8Array
}

export type Platform = {
  readonly now: number
  readonly root: Issuer
  /** Issues the PCK certificates: the Platform CA, or the Processor CA where the options say so. */
  readonly platformCa: Issuer
  readonly tcbSigner: Issuer
  /** DER. */
  readonly rootCertificate: Uint8Array
  readonly platformCaCertificate: Uint8Array
  readonly tcbSigningCertificate: Uint8Array
  readonly serials: { readonly platformCa: Uint8Array; readonly tcbSigning: Uint8Array }
  /** The machine of that name; the same name always gives the same machine. */
  readonly machine: (options: string | MachineOptions) => Machine
  readonly collateral: (knobs?: CollateralKnobs) => CollateralBundle
  /** A quote of `machine` (its name or the machine itself; "host0" by default). */
  readonly quote: (options?: QuoteKnobs & { readonly machine?: Machine | string }) => Uint8Array
}

const YEAR_2025 = Date.UTC(2025, 0, 1) / 1000
const END_OF_2049 = Date.UTC(2049, 11, 31, 23, 59, 59) / 1000
const DEFAULT_FMSPC = "B0C06F000000"

/** Twenty bytes with a first byte that is not zero, as Intel's serials. */
function serialOf(seed: string, label: string): Uint8Array {
  const serial = deriveBytes(seed, `serial:${label}`, 20)
  serial[0] = (serial[0] ?? 0) | 0x40
  return serial
}

export function createPlatform(options: PlatformOptions): Platform {
  const { seed, now } = options
  const notBefore = options.notBefore ?? YEAR_2025
  const notAfter = options.notAfter ?? END_OF_2049
  const fmspc = options.fmspc ?? DEFAULT_FMSPC
  const root: Issuer = { name: ROOT_CA, key: deriveKey(seed, "root") }
  const processor = options.authority === "processor"
  const platformCa: Issuer = processor
    ? { name: PROCESSOR_CA, key: deriveKey(seed, "processor-ca") }
    : { name: PLATFORM_CA, key: deriveKey(seed, "platform-ca") }
  const tcbSigner: Issuer = { name: TCB_SIGNING, key: deriveKey(seed, "tcb-signing") }

  const issue = (
    subject: Issuer,
    label: string,
    pathLength: number | null,
    changes: Partial<CertificateFields> = {},
  ) =>
    issueCertificate({
      name: subject.name,
      key: subject.key,
      issuer: root,
      serial: serialOf(seed, label),
      notBefore,
      notAfter,
      pathLength,
      crlUrl: ROOT_CRL_URL,
      ...changes,
    })
  const changes = options.certificates ?? {}
  const authorityLabel = processor ? "processor-ca" : "platform-ca"
  const rootCertificate = issue(root, "root", 1, changes.root)
  const platformCaCertificate = issue(platformCa, authorityLabel, 0, changes.authority)
  const tcbSigningCertificate = issue(tcbSigner, "tcb-signing", null, changes.tcbSigning)

  const source: CollateralSource = {
    root,
    rootCertificate,
    platformCa,
    platformCaCertificate,
    tcbSigner,
    tcbSigningCertificate,
    fmspc,
    now,
  }

  const piidOf = (name: string) => toHex(deriveBytes(seed, `piid:${name}`, 16))

  const machine = (given: string | MachineOptions): Machine => {
    const spec = typeof given === "string" ? { name: given } : given
    const identity = {
      ppid: spec.ppid ?? toHex(deriveBytes(seed, `ppid:${spec.name}`, 16)),
      piid: spec.piid !== undefined || processor ? (spec.piid ?? null) : piidOf(spec.name),
      fmspc: spec.fmspc ?? (`0x${fmspc.toLowerCase()}` as Hex),
      cpuSvn: spec.cpuSvn ?? ("0x04040202040100050000000000000000" as Hex),
      pceSvn: spec.pceSvn ?? 11,
    }
    const pckKey = deriveKey(seed, `pck:${spec.name}`)
    const pckSerial = serialOf(seed, `pck:${spec.name}`)
    return {
      name: spec.name,
      ...identity,
      teeTcbSvn: spec.teeTcbSvn ?? "0x0b010400000000000000000000000000",
      pckKey,
      attestationKey: deriveKey(seed, `attestation:${spec.name}`),
      pckSerial,
      pckCertificate: issuePckCertificate({
        ...identity,
        key: pckKey,
        issuer: platformCa,
        serial: pckSerial,
        notBefore: spec.notBefore ?? notBefore,
        notAfter: spec.notAfter ?? notAfter,
        pceId: spec.pceId ?? "0x0000",
        ...spec.pck,
      }),
    }
  }

  return {
    now,
    root,
    platformCa,
    tcbSigner,
    rootCertificate,
    platformCaCertificate,
    tcbSigningCertificate,
    serials: { platformCa: serialOf(seed, authorityLabel), tcbSigning: serialOf(seed, "tcb-signing") },
    machine,
    collateral: (knobs) => makeCollateral(source, knobs),
    quote: (given = {}) => {
      const host = typeof given.machine === "object" ? given.machine : machine(given.machine ?? "host0")
      const chain = [host.pckCertificate, platformCaCertificate, rootCertificate]
      return makeQuote({ ...host, chain }, given)
    },
  }
}
