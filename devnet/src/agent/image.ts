/** What the local network pretends to run: one measured machine image and one compose file per role. */
import { createHash } from "node:crypto"
import type { Role } from "@twinlock/sdk/attestation/role"
import { toHex } from "@twinlock/sdk/protocol/codec"
import type { Hex } from "@twinlock/sdk/protocol/ids"
import { createKeyService } from "./keyService.ts"

export type MachineImage = {
  readonly mrTd: Hex
  readonly rtMr0: Hex
  readonly rtMr1: Hex
  readonly rtMr2: Hex
}

/** Registers that a real image's build would fix; any other name gives another image. */
export function machineImage(name: string): MachineImage {
  const register = (part: string) => toHex(createHash("sha384").update(`${name}:${part}`).digest())
  return {
    mrTd: register("firmware"),
    rtMr0: register("machine shape"),
    rtMr1: register("kernel"),
    rtMr2: register("root file system"),
  }
}

export const DEVNET_IMAGE: MachineImage = machineImage("twinlock devnet image")

/** Where the guest agent listens in a guest. */
const AGENT_SOCKET = "/var/run/dstack.sock"
/** The key service of tests and figures that name no other. */
const KEY_PROVIDER = createKeyService("twinlock devnet").rootKey

export type ComposeOptions = {
  /** Another value gives another compose hash, as a new release would. */
  readonly variant?: string | undefined
  /** What the guest must get its keys from: the public key of the key service. */
  readonly keyProviderId?: Hex
}

/**
 * The text of app-compose.json, keys sorted, as the guest measures it byte by byte. It keeps the rules that
 * `appraiseComposeFile` checks: its Docker Compose document is JSON, and its key provider is pinned.
 */
export function devnetCompose(role: Role, options: ComposeOptions = {}): string {
  const { variant = "1", keyProviderId = KEY_PROVIDER } = options
  const program = role === "keyholder" ? "twinlock-node" : "twinlock-executor"
  const digest = createHash("sha256").update(`${program}:${variant}`).digest("hex")
  const document = {
    services: {
      [role]: {
        image: `${program}@sha256:${digest}`,
        read_only: true,
        volumes: [`${AGENT_SOCKET}:${AGENT_SOCKET}`],
      },
    },
  }
  return JSON.stringify({
    allowed_envs: [],
    docker_compose_file: JSON.stringify(document),
    gateway_enabled: false,
    key_provider_id: keyProviderId.slice(2),
    kms_enabled: true,
    local_key_provider_enabled: false,
    manifest_version: 2,
    name: program,
    no_instance_id: false,
    public_logs: false,
    public_sysinfo: false,
    public_tcbinfo: true,
    runner: "docker-compose",
    secure_time: true,
  })
}
