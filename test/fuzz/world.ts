/** One simulated platform with its keys at hand, and the genuine inputs that every mutant starts from. */

import type { SigningKey } from "@twinlock/devnet/platform/keys"
import { issueCrl } from "@twinlock/devnet/platform/pki"
import { createPlatform, type Machine } from "@twinlock/devnet/platform/platform"
import type { Measurements } from "@twinlock/devnet/platform/quote"
import type { CollateralBundle } from "@twinlock/sdk/attestation/collateralBundle"
import { configIdOf } from "@twinlock/sdk/attestation/composeHash"
import type { VerifyOptions } from "@twinlock/sdk/attestation/underRoot"
import { joined } from "./byteMutation.ts"
import { quickKey } from "./quickKey.ts"
import { assemble, partsOf, type QuoteParts, resign } from "./quoteParts.ts"

const SEED = "fuzz attestation"
/** Unix seconds at which the collateral was issued; verification takes place a day later. */
export const ISSUED = 1_791_158_400
export const TIME: number = ISSUED + 86_400
const DAY = 86_400

export type Scenario = {
  readonly name: string
  readonly machine: Machine
  readonly keys: { readonly pck: SigningKey; readonly attestation: SigningKey }
  readonly parts: QuoteParts
  readonly quote: Uint8Array
  readonly options: VerifyOptions
}

export const platform = createPlatform({ seed: SEED, now: ISSUED })
export const keyOf = (label: string): SigningKey => quickKey(SEED, label)
export const rootKey: SigningKey = keyOf("root")
export const authorityKey: SigningKey = keyOf("platform-ca")
export const signerKey: SigningKey = keyOf("tcb-signing")

const revoked = Array.from({ length: 5 }, (_, index) => platform.machine(`revoked ${index}`).pckSerial)
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex")

/** Genuine collateral with a few strangers on both CRLs. */
export const collateral: CollateralBundle = {
  ...platform.collateral({ revokedPck: revoked }),
  root_ca_crl: hex(
    issueCrl({
      issuer: platform.root,
      thisUpdate: ISSUED,
      nextUpdate: ISSUED + 365 * DAY,
      revoked: revoked.slice(0, 2),
    }),
  ),
}

export const options: VerifyOptions = { collateral, time: TIME, floors: { tcb: 20, qe: 20 } }

function scenario(name: string, machine: Machine, quote: Uint8Array): Scenario {
  const keys = { pck: keyOf(`pck:${machine.name}`), attestation: keyOf(`attestation:${machine.name}`) }
  const parts = resign(partsOf(quote), keys, true)
  return { name, machine, keys, parts, quote: assemble(parts), options }
}

const measurements: Measurements = {
  ...{ mrTd: "0xa1", rtMr0: "0xb1", rtMr1: "0xb2", rtMr2: "0xb3", rtMr3: "0xb4" },
  mrConfigId: configIdOf(`0x${"c0".repeat(32)}` as never),
}

function scenarios(): readonly Scenario[] {
  const [alice, outdated, moduleless] = [
    platform.machine("alice"),
    platform.machine({ name: "outdated", cpuSvn: "0x03030202040100050000000000000000" }),
    platform.machine({ name: "moduleless", teeTcbSvn: "0x05000400000000000000000000000000" }),
  ]
  const version4 = platform.quote({ machine: alice, measurements, reportData: new Uint8Array(64).fill(7) })
  const version5 = partsOf(platform.quote({ machine: alice, measurements, version: 5 }))
  const td10 = {
    ...version5,
    announcement: Uint8Array.of(2, 0, 0x48, 2, 0, 0),
    body: version5.body.slice(0, 584),
  }
  return [
    scenario("version 4", alice, version4),
    scenario("version 5, TD 1.5", alice, assemble(version5)),
    scenario("version 5, TD 1.0", alice, assemble(td10)),
    scenario("out of date", outdated, platform.quote({ machine: outdated, measurements })),
    scenario("module version 0", moduleless, platform.quote({ machine: moduleless, measurements })),
  ]
}

export const SCENARIOS: readonly Scenario[] = scenarios()

/** DER: leaf, authority, root. */
export const chainOf = (machine: Machine): readonly [Uint8Array, Uint8Array, Uint8Array] => [
  machine.pckCertificate,
  platform.platformCaCertificate,
  platform.rootCertificate,
]

export const tcbSigningCertificate: Uint8Array = joined(platform.tcbSigningCertificate)
