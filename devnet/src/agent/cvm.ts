/**
 * One simulated confidential VM: machine, image, compose file, boot log and keys. It answers what the dstack guest
 * agent answers, under the simulated platform's root.
 */
import { createHash } from "node:crypto"
import { composeHashOf, configIdOf } from "@twinlock/sdk/attestation/composeHash"
import { configIdOfDocument, encodeConfigDocument } from "@twinlock/sdk/attestation/configDocument"
import { providerIdOf } from "@twinlock/sdk/attestation/eventLog"
import { type AllowListEntry, imageIdOf } from "@twinlock/sdk/attestation/policy"
import type { Role } from "@twinlock/sdk/attestation/role"
import { fromHex, toHex, utf8ToBytes } from "@twinlock/sdk/protocol/codec"
import type { Digest } from "@twinlock/sdk/protocol/ids"
import type { Machine, Platform } from "../platform/platform.ts"
import type { QuoteKnobs } from "../platform/quote.ts"
import { createBootLog, type LoggedEvent } from "./bootLog.ts"
import { DEVNET_IMAGE, type MachineImage } from "./image.ts"
import type { DerivedKey, KeyAlgorithm, KeyService } from "./keyService.ts"

export type CvmOptions = {
  readonly platform: Platform
  /** Name of the simulated host; its own PPID. */
  readonly machine: string | Machine
  readonly role: Role
  /** Text of app-compose.json. */
  readonly compose: string
  readonly keys: KeyService
  readonly image?: MachineImage
  /** 20 bytes; the first 20 of the compose hash by default. */
  readonly appId?: Uint8Array
  /** Changes single fields of every quote, for tests of refusals. */
  readonly quoteKnobs?: QuoteKnobs
  /** How mr_config_id binds the compose file: its hash (1, by default) or a document (3). */
  readonly configVersion?: 1 | 3
}

export type Cvm = {
  readonly machine: Machine
  readonly role: Role
  readonly compose: string
  readonly image: MachineImage
  readonly appId: Uint8Array
  readonly instanceId: Uint8Array
  readonly keyProvider: string
  /** The allow-list entry that this guest needs. */
  readonly entry: AllowListEntry
  readonly quote: (reportData: Uint8Array) => Uint8Array
  readonly deriveKey: (path: string, purpose: string, algorithm: KeyAlgorithm) => DerivedKey
  readonly emitEvent: (event: string, payload: Uint8Array) => void
  readonly events: () => readonly LoggedEvent[]
  readonly rtMr3: () => Uint8Array
}

function documentOf(
  appId: Uint8Array,
  composeHash: Digest,
  instanceId: Uint8Array,
  payload: string,
): Uint8Array {
  const { name, id } = JSON.parse(payload) as { readonly name: string; readonly id: string }
  return encodeConfigDocument({
    ...{ appId: toHex(appId), composeHash, instanceId: toHex(instanceId) },
    ...{ keyProvider: name, keyProviderId: `0x${id}` },
  })
}

export function createCvm(options: CvmOptions): Cvm {
  const { platform, role, compose, keys, image = DEVNET_IMAGE, quoteKnobs = {} } = options
  const machine = typeof options.machine === "string" ? platform.machine(options.machine) : options.machine
  const composeHash = composeHashOf(utf8ToBytes(compose))
  const appId = options.appId ?? fromHex(composeHash).slice(0, 20)
  const seed = createHash("sha256").update(`instance:${machine.ppid}`).update(appId).digest()
  const instanceId = new Uint8Array(seed.subarray(0, 20))

  const configId =
    options.configVersion === 3
      ? configIdOfDocument(documentOf(appId, composeHash, instanceId, keys.providerPayload))
      : configIdOf(composeHash)

  const log = createBootLog()
  log.extend("system-preparing", "")
  log.extend("app-id", appId)
  log.extend("compose-hash", fromHex(composeHash))
  log.extend("instance-id", instanceId)
  log.extend("boot-mr-done", "")
  log.extend("key-provider", keys.providerPayload)
  log.extend("storage-fs", "zfs")
  log.extend("system-ready", "")

  return {
    machine,
    role,
    compose,
    image,
    appId,
    instanceId,
    keyProvider: keys.providerPayload,
    entry: {
      role,
      imageId: imageIdOf(image),
      composeHash,
      providerId: providerIdOf(utf8ToBytes(keys.providerPayload)),
      version: 1,
    },
    quote: (reportData) =>
      platform.quote({
        ...quoteKnobs,
        machine,
        reportData,
        measurements: {
          ...image,
          rtMr3: toHex(log.register()),
          mrConfigId: configId,
          ...quoteKnobs.measurements,
        },
      }),
    deriveKey: (path, purpose, algorithm) => keys.derive(appId, path, purpose, algorithm),
    emitEvent: log.extend,
    events: log.events,
    rtMr3: log.register,
  }
}
