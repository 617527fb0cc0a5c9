/**
 * Checklist lines 10 to 12, which need a registry: who is measured, for what the quote was made, in which status and on
 * which machine. Each case is a registration; what differs between quote, allow-list and sender is a knob.
 */
import type { CollateralKnobs } from "@twinlock/devnet/platform/collateral"
import { DEFAULT_LEVELS } from "@twinlock/devnet/platform/tcbLevels"
import { configIdOf } from "@twinlock/sdk/attestation/composeHash"
import type { AttestationErrorCode } from "@twinlock/sdk/attestation/errors"
import type { RegistrationBinding } from "@twinlock/sdk/attestation/reportData"
import { TCB_STATUSES, type TcbStatus } from "@twinlock/sdk/attestation/tcbStatus"
import { sha256Digest, toHex, utf8ToBytes } from "@twinlock/sdk/protocol/codec"
import type { Hex } from "@twinlock/sdk/protocol/ids"
import { ALICE, COMPOSE_HASH, GOOD, keyOf, type Scene } from "./scene.ts"

export const REGISTRY_CHECKLIST = {
  "10 image": "MRTD and RTMR0 to RTMR2 are on the allow-list, for the role",
  "10 compose": "the compose hash is on the allow-list, for the image",
  "10 report data": "the quote was made for this registration, after a recent block",
  "11 status": "the TCB status is UpToDate",
  "12 platform": "the machine is not denied",
} as const

export type RegistryLine = keyof typeof REGISTRY_CHECKLIST

export type RegistrationCase = {
  readonly line: RegistryLine
  readonly name: string
  readonly scene: Scene
  /** What the quote binds where it differs from what the sender says. */
  readonly quoted: Partial<RegistrationBinding>
  /** What the sender says, also in the quote, where it differs from the usual. */
  readonly sent: Partial<Pick<RegistrationBinding, "role">>
  /** PPIDs or PIIDs that the registry denies. */
  readonly denied: readonly Hex[]
  /** null: both verifiers accept. */
  readonly refusal: { readonly code: AttestationErrorCode; readonly error: string } | null
}

type Given = Partial<Omit<RegistrationCase, "line" | "name" | "refusal">>

const accepted = (line: RegistryLine, name: string, given: Given = {}): RegistrationCase => ({
  ...{ line, name, scene: {}, quoted: {}, sent: {}, denied: [], refusal: null },
  ...given,
})
const refused = (
  line: RegistryLine,
  name: string,
  given: Given,
  code: AttestationErrorCode,
  error: string,
): RegistrationCase => ({ ...accepted(line, name, given), refusal: { code, error } })

const register = (byte: number) => toHex(new Uint8Array(48).fill(byte))
const measured = (measurements: NonNullable<Scene["quote"]>["measurements"]): Given =>
  measurements ? { scene: { quote: { measurements } } } : {}

const images: readonly RegistrationCase[] = [
  accepted("10 image", "an image of the allow-list"),
  accepted(
    "10 image",
    "another RTMR3, which the event log explains off chain",
    measured({ rtMr3: register(9) }),
  ),
  ...(["mrTd", "rtMr0", "rtMr1", "rtMr2"] as const).map((name) =>
    refused(
      "10 image",
      `another ${name}`,
      measured({ [name]: register(9) }),
      "POLICY_IMAGE",
      "NotAllowListed",
    ),
  ),
  refused(
    "10 image",
    "the keyholder's image as an executor",
    { sent: { role: "executor" } },
    "POLICY_IMAGE",
    "NotAllowListed",
  ),
  accepted(
    "10 compose",
    "the compose file of the allow-list",
    measured({ mrConfigId: configIdOf(COMPOSE_HASH) }),
  ),
  refused(
    "10 compose",
    "another compose file",
    measured({ mrConfigId: configIdOf(sha256Digest(utf8ToBytes("another"))) }),
    "POLICY_COMPOSE",
    "NotAllowListed",
  ),
]

const somebody = toHex(keyOf("somebody").publicKey.subarray(0, 20)) as RegistrationBinding["operator"]
const digest = sha256Digest(utf8ToBytes("another"))
const OTHER_BINDINGS: Readonly<Partial<RegistrationBinding>> = {
  chainId: 1n,
  nodeRegistry: somebody,
  operator: somebody,
  role: "executor",
  signer: somebody,
  peerIdHash: digest,
  configHash: digest,
  challengeBlock: 1n,
}

const bindings: readonly RegistrationCase[] = [
  accepted("10 report data", "made for this registration"),
  ...Object.entries(OTHER_BINDINGS).map(([name, value]) =>
    refused(
      "10 report data",
      `made for another ${name}`,
      { quoted: { [name]: value } },
      "POLICY_REPORT_DATA",
      "ReportDataMismatch",
    ),
  ),
  refused(
    "10 report data",
    "made with another block's hash",
    { quoted: { challengeBlockHash: digest } },
    "POLICY_REPORT_DATA",
    "ChallengeHashMismatch",
  ),
  refused(
    "10 report data",
    "made with no block's hash",
    { quoted: { challengeBlockHash: toHex(new Uint8Array(32)) as typeof digest } },
    "POLICY_REPORT_DATA",
    "ChallengeHashMismatch",
  ),
]

const withStatus = (status: TcbStatus): CollateralKnobs => ({
  levels: DEFAULT_LEVELS.slice(0, 1).map((level) => ({ ...level, status })),
})

const statuses: readonly RegistrationCase[] = TCB_STATUSES.map((status) => {
  const given: Given = { scene: { collateral: withStatus(status) } }
  return status === "UpToDate"
    ? accepted("11 status", status, given)
    : refused("11 status", status, given, "POLICY_TCB_STATUS", "TcbStatusNotAccepted")
})

const bob = GOOD.machine("bob")
const platforms: readonly RegistrationCase[] = [
  accepted("12 platform", "another machine is denied", { denied: [bob.ppid] }),
  accepted("12 platform", "a machine without instance id", {
    scene: { platform: { authority: "processor" } },
  }),
  refused("12 platform", "its PPID is denied", { denied: [ALICE.ppid] }, "POLICY_PPID", "PlatformIsDenied"),
  ...(ALICE.piid
    ? [
        refused(
          "12 platform",
          "its PIID is denied",
          { denied: [ALICE.piid] },
          "POLICY_PIID",
          "PlatformIsDenied",
        ),
      ]
    : []),
]

export const registrationCases: readonly RegistrationCase[] = [
  ...images,
  ...bindings,
  ...statuses,
  ...platforms,
]
