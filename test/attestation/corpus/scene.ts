/**
 * Inputs from the simulated platform: a good machine with good collateral, of which a case replaces single knobs.
 * Everything follows from one seed, so that a case gives equal bytes in every run.
 */
import type { CollateralKnobs } from "@twinlock/devnet/platform/collateral"
import { deriveBytes, deriveKey } from "@twinlock/devnet/platform/keys"
import {
  type CertificateFields,
  distinguishedName,
  issueCertificate,
  PLATFORM_CA,
  ROOT_CRL_URL,
} from "@twinlock/devnet/platform/pki"
import {
  createPlatform,
  type Machine,
  type MachineOptions,
  type Platform,
  type PlatformOptions,
} from "@twinlock/devnet/platform/platform"
import type { Measurements, QuoteKnobs } from "@twinlock/devnet/platform/quote"
import type { CollateralBundle } from "@twinlock/sdk/attestation/collateralBundle"
import { configIdOf } from "@twinlock/sdk/attestation/composeHash"
import { sha256Digest, toHex, utf8ToBytes } from "@twinlock/sdk/protocol/codec"
import type { Digest, Hex } from "@twinlock/sdk/protocol/ids"
import type { AttestationInput, Case, ChecklistLine, Expected } from "./case.ts"

/** Chosen so that the root certificate has the length of Intel's: another verifier has a fixed place for it. */
export const SEED = "the attestation corpus"
/** Unix seconds at which everything is issued. */
export const NOW: number = Date.UTC(2026, 9, 5) / 1000
export const DAY = 86_400
export const END_OF_2049: number = Date.UTC(2049, 11, 31, 23, 59, 59) / 1000
export const NO_DOCUMENT: Uint8Array = new Uint8Array(0)

export const keyOf = (label: string): ReturnType<typeof deriveKey> => deriveKey(SEED, label)
/** A serial number that no certificate of the platform has. */
export const otherSerial = (label: string): Uint8Array =>
  deriveBytes(SEED, `other serial:${label}`, 20).fill(0x41, 0, 1)

/** The platform and its machine as they are when nothing is wrong: keys, serials and certificates to refer to. */
export const GOOD: Platform = createPlatform({ seed: SEED, now: NOW })
export const ALICE: Machine = GOOD.machine("alice")
export const COLLATERAL: CollateralBundle = GOOD.collateral()

export const COMPOSE_HASH: Digest = sha256Digest(utf8ToBytes("compose file of the corpus"))
export const CONFIG_ID: Hex = configIdOf(COMPOSE_HASH)

const register = (name: string) => toHex(new Uint8Array(48).fill(name.charCodeAt(name.length - 1)))

export const MEASUREMENTS: Measurements = {
  mrTd: register("mrTd"),
  rtMr0: register("rtMr0"),
  rtMr1: register("rtMr1"),
  rtMr2: register("rtMr2"),
  rtMr3: register("rtMr3"),
  mrConfigId: CONFIG_ID,
}

export type Scene = {
  readonly platform?: Partial<PlatformOptions>
  readonly machine?: Partial<MachineOptions>
  readonly collateral?: CollateralKnobs
  readonly quote?: Omit<QuoteKnobs, "measurements"> & { readonly measurements?: Measurements }
  /** Members of the bundle that are replaced after everything was signed. */
  readonly bundle?: (good: CollateralBundle) => Partial<CollateralBundle>
  /** Edits the finished quote. */
  readonly bytes?: (quote: Uint8Array) => Uint8Array
  readonly configDocument?: Uint8Array
  readonly time?: number
  readonly floors?: AttestationInput["floors"]
}

export function inputOf(scene: Scene): AttestationInput {
  const platform = scene.platform ? createPlatform({ seed: SEED, now: NOW, ...scene.platform }) : GOOD
  const machine =
    scene.platform || scene.machine ? platform.machine({ name: "alice", ...scene.machine }) : ALICE
  const measurements = { ...MEASUREMENTS, ...scene.quote?.measurements }
  const quote = platform.quote({ reportData: utf8ToBytes("corpus"), ...scene.quote, machine, measurements })
  const collateral = scene.platform || scene.collateral ? platform.collateral(scene.collateral) : COLLATERAL
  return {
    subject: { kind: "quote", bytes: scene.bytes ? scene.bytes(quote) : quote },
    collateral: { ...collateral, ...scene.bundle?.(collateral) },
    configDocument: scene.configDocument ?? NO_DOCUMENT,
    time: scene.time ?? NOW + DAY,
    floors: scene.floors ?? { tcb: 20, qe: 20 },
  }
}

/** The three parts of a case of one line; the input is built when the case runs. */
export const simulated = (line: ChecklistLine, name: string, scene: Scene, expected: Expected): Case => ({
  name,
  line,
  root: "simulator",
  expected,
  build: () => inputOf(scene),
})

/** The same for inputs that no knob makes. */
export const constructed = (
  line: ChecklistLine,
  name: string,
  build: () => AttestationInput,
  expected: Expected,
): Case => ({ name, line, root: "simulator", expected, build })

/** The intermediate CA's fields as the platform fixes them, to issue a changed one from. */
export const AUTHORITY_FIELDS: CertificateFields = {
  name: PLATFORM_CA,
  key: GOOD.platformCa.key,
  issuer: GOOD.root,
  serial: GOOD.serials.platformCa,
  notBefore: NOW - DAY,
  notAfter: END_OF_2049,
  pathLength: 0,
  crlUrl: ROOT_CRL_URL,
}

/** An end entity under the root, as the TCB signing certificate is. */
export const underRoot = (
  name: string,
  label: string,
  changes: Partial<CertificateFields> = {},
): Uint8Array =>
  issueCertificate({
    name,
    key: keyOf(label),
    issuer: GOOD.root,
    serial: otherSerial(label),
    notBefore: NOW - DAY,
    notAfter: END_OF_2049,
    pathLength: null,
    crlUrl: ROOT_CRL_URL,
    ...changes,
  })

/** Intel's name but for the country, UK. */
export function foreignName(commonName: string): Uint8Array {
  const name = distinguishedName(commonName)
  name[name.length - 1] = "K".charCodeAt(0)
  return name
}

/** A copy with one bit flipped at `offset`, counted from the end where negative. */
export function flipped(bytes: Uint8Array, offset: number): Uint8Array {
  const copy = bytes.slice()
  const at = offset < 0 ? copy.length + offset : offset
  copy[at] = (copy[at] ?? 0) ^ 1
  return copy
}
